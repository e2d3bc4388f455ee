import { generateSigningKey, signJson, type JsonObject } from '../src/index.ts';
import { ALICE, BOB, CAROL, type TestRoom } from './fixtures.ts';
import { carolIs, DAVE, levels, membership, runTable, state } from './rule-table.ts';

describe('invite', () => {
  runTable([
    { name: 'an invite by a member of level', allowed: true, event: membership(CAROL, 'invite', BOB) },
    {
      name: 'a second invite',
      allowed: true,
      room: carolIs('invite'),
      event: membership(CAROL, 'invite', BOB),
    },
    { name: 'an invite by a stranger', allowed: false, event: membership(CAROL, 'invite', DAVE) },
    { name: 'an invite of a member', allowed: false, event: membership(BOB, 'invite', ALICE) },
    {
      name: 'an invite of a banned user',
      allowed: false,
      room: carolIs('ban'),
      event: membership(CAROL, 'invite', ALICE),
    },
    {
      name: 'an invite by a member without level',
      allowed: false,
      room: (r) => r.withMember(DAVE, 'join'),
      event: membership(CAROL, 'invite', DAVE),
    },
    {
      name: 'an invite where the level defaults to 0',
      allowed: true,
      room: (r) => levels({ users: {} })(r).withMember(DAVE, 'join'),
      event: membership(CAROL, 'invite', DAVE),
    },
  ]);
});

describe('third party invite', () => {
  const key = generateSigningKey();
  const signed = signJson({ mxid: CAROL, token: 'tok' }, 'identity', key) as unknown as JsonObject;
  const offered =
    (content: JsonObject, sender = BOB) =>
    (room: TestRoom) =>
      room.withState('m.room.third_party_invite', content, sender, 'tok');
  const oneKey = offered({ public_key: key.publicKey });
  const invite = (third_party_invite: JsonObject | string, sender = BOB) =>
    membership(CAROL, 'invite', sender, { third_party_invite });
  const other = generateSigningKey().publicKey;

  runTable([
    { name: 'one that is signed', allowed: true, room: oneKey, event: invite({ signed }) },
    {
      name: 'one signed by a listed key',
      allowed: true,
      room: offered({ public_key: other, public_keys: [{ public_key: key.publicKey }] }),
      event: invite({ signed }),
    },
    {
      name: 'one signed by another key',
      allowed: false,
      room: offered({ public_key: other, public_keys: [1] }),
      event: invite({ signed }),
    },
    {
      name: 'a banned user',
      allowed: false,
      room: (r) => carolIs('ban')(oneKey(r)),
      event: invite({ signed }),
    },
    { name: 'one without signed', allowed: false, room: oneKey, event: invite({}) },
    { name: 'one that is a string', allowed: false, room: oneKey, event: invite('x') },
    { name: 'one without a token', allowed: false, room: oneKey, event: invite({ signed: { mxid: CAROL } }) },
    {
      name: 'one for another user',
      allowed: false,
      room: oneKey,
      event: invite({ signed: { ...signed, mxid: DAVE } }),
    },
    { name: 'one that was never offered', allowed: false, event: invite({ signed }) },
    { name: 'one from another sender', allowed: false, room: oneKey, event: invite({ signed }, ALICE) },
    {
      name: 'one without signatures',
      allowed: false,
      room: oneKey,
      event: invite({ signed: { mxid: CAROL, token: 'tok' } }),
    },
    {
      name: 'one with hostile signatures',
      allowed: false,
      room: oneKey,
      event: invite({ signed: { mxid: CAROL, token: 'tok', signatures: { a: 1, b: { 'ed25519:1': 2 } } } }),
    },
    {
      name: 'the offer by a member of level',
      allowed: true,
      event: state(BOB, 'tok', 'm.room.third_party_invite'),
    },
    {
      name: 'the offer by a member without level',
      allowed: false,
      room: (r) => r.withMember(DAVE, 'join'),
      event: state(DAVE, 'tok', 'm.room.third_party_invite'),
    },
  ]);
});
