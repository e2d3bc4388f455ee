import { isJsonObject, own, ownString, type JsonObject } from '../json-types.ts';
import { signedText, verifyBytes } from '../signing.ts';
import { demand, type RuleContext } from './types.ts';

/** Hostile events must not buy us unbounded work: a verification costs about 0.2 ms. */
const MAX_VERIFICATIONS = 64;

/** The rules for an invite with `third_party_invite`, after the ban check. */
export function checkThirdPartyInvite(context: RuleContext, target: string): void {
  const signed = own(own(context.pdu.content, 'third_party_invite'), 'signed');
  demand(isJsonObject(signed), 'The third party invite is not signed');
  const token = ownString(signed, 'token');
  demand(token !== undefined, 'The third party invite has no token');
  demand(own(signed, 'mxid') === target, 'The third party invite is for another user');
  const invite = context.state.get('m.room.third_party_invite', token);
  demand(invite !== undefined, 'The room has no such third party invite');
  demand(invite.sender === context.pdu.sender, 'The third party invite is from another sender');
  demand(isSignedByAny(signed, publicKeys(invite.content)), 'The third party invite is not validly signed');
}

/** `public_key`, and every `public_key` in `public_keys`. */
function publicKeys(content: JsonObject): string[] {
  const list = own(content, 'public_keys');
  const listed = Array.isArray(list) ? list.map((item) => ownString(item, 'public_key')) : [];
  return [ownString(content, 'public_key'), ...listed].filter((key) => key !== undefined);
}

function isSignedByAny(signed: JsonObject, keys: readonly string[]): boolean {
  const text = signedText(signed);
  let left = MAX_VERIFICATIONS;
  for (const ofEntity of Object.values(own(signed, 'signatures') ?? {})) {
    for (const [keyId, signature] of Object.entries(isJsonObject(ofEntity) ? ofEntity : {})) {
      if (!keyId.startsWith('ed25519:') || typeof signature !== 'string') continue;
      for (const key of keys) {
        if (left-- <= 0) return false;
        if (verifyBytes(text, signature, key)) return true;
      }
    }
  }
  return false;
}
