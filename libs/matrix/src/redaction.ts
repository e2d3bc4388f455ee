import type { Pdu } from './events.ts';
import { isJsonObject, own, type JsonObject } from './json-types.ts';
import type { RoomVersion } from './room-versions.ts';

/**
 * The redaction algorithm of the room version: a copy with only the protected keys (`unsigned` goes too). Where nothing
 * of the content goes, the content is the same object.
 */
export function redact(pdu: Pdu, version: RoomVersion): Pdu {
  const kept = Object.entries(pdu).filter(([key]) => version.redaction.topLevel.has(key));
  return { ...(Object.fromEntries(kept) as unknown as Pdu), content: redactContent(pdu, version) };
}

function redactContent(pdu: Pdu, version: RoomVersion): JsonObject {
  const { content, keepsThirdPartySigned } = version.redaction;
  const keep = Object.hasOwn(content, pdu.type) ? (content[pdu.type] ?? []) : [];
  if (keep === 'all' || !isJsonObject(pdu.content)) return pdu.content;
  if (Object.keys(pdu.content).every((key) => keep.includes(key))) return pdu.content;
  const kept: JsonObject = {};
  for (const key of keep) {
    const value = own(pdu.content, key);
    if (value !== undefined) kept[key] = value;
  }
  if (keepsThirdPartySigned && pdu.type === 'm.room.member') {
    const signed = own(own(pdu.content, 'third_party_invite'), 'signed');
    if (signed !== undefined) kept['third_party_invite'] = { signed };
  }
  return kept;
}
