import { authorise } from '../src/index.ts';
import { ALICE, BOB, CAROL, failure, TestRoom } from './fixtures.ts';
import { ALL, carolIs, DAVE, joinRule, membership, runTable } from './rule-table.ts';

const forbidden = failure('M_FORBIDDEN');

describe('join', () => {
  const vouched = { join_authorised_via_users_server: BOB };
  const signed = { joinAuthorisedSignatureValid: true };
  const restricted = joinRule('restricted');

  runTable([
    { name: 'a change of the own profile', allowed: true, event: membership(BOB, 'join') },
    {
      name: 'a join for somebody else',
      allowed: false,
      room: joinRule('public'),
      event: membership(CAROL, 'join', ALICE),
    },
    {
      name: 'a join to a public room',
      allowed: true,
      room: joinRule('public'),
      event: membership(CAROL, 'join'),
    },
    {
      name: 'a banned user in a public room',
      allowed: false,
      room: (room) => carolIs('ban')(joinRule('public')(room)),
      event: membership(CAROL, 'join'),
    },
    { name: 'a stranger in an invite-only room', allowed: false, event: membership(CAROL, 'join') },
    { name: 'an invited user', allowed: true, room: carolIs('invite'), event: membership(CAROL, 'join') },
    {
      name: 'a user who only knocked',
      allowed: false,
      room: (r) => carolIs('knock')(joinRule('knock')(r)),
      event: membership(CAROL, 'join'),
    },
    {
      name: 'an invited user under knock',
      since: 7,
      allowed: true,
      room: (r) => carolIs('invite')(joinRule('knock')(r)),
      event: membership(CAROL, 'join'),
    },
    {
      name: 'a join rule that nobody knows',
      allowed: false,
      room: (r) => carolIs('invite')(joinRule('private')(r)),
      event: membership(CAROL, 'join'),
    },
    {
      name: 'a join rule that is no string',
      allowed: false,
      room: (room) => carolIs('invite')(room.withState('m.room.join_rules', { join_rule: ['public'] })),
      event: membership(CAROL, 'join'),
    },
    {
      name: 'a stranger under restricted',
      allowed: false,
      room: restricted,
      event: membership(CAROL, 'join'),
    },
    {
      name: 'an invited user under restricted',
      since: 8,
      allowed: true,
      room: (r) => carolIs('invite')(restricted(r)),
      event: membership(CAROL, 'join'),
    },
    ...['restricted', 'knock_restricted'].map((rule) => ({
      name: `a stranger whom a member vouches for, under ${rule}`,
      since: rule === 'restricted' ? 8 : 10,
      allowed: true,
      room: joinRule(rule),
      event: membership(CAROL, 'join', CAROL, vouched),
      options: signed,
    })),
    {
      name: 'vouching without a valid signature',
      allowed: false,
      room: restricted,
      event: membership(CAROL, 'join', CAROL, vouched),
    },
    {
      name: 'vouching without a valid signature in a public room',
      since: 8,
      allowed: false,
      room: joinRule('public'),
      event: membership(CAROL, 'join', CAROL, vouched),
    },
    {
      name: 'vouching by a user who is not joined',
      allowed: false,
      room: restricted,
      event: membership(CAROL, 'join', CAROL, { join_authorised_via_users_server: DAVE }),
      options: signed,
    },
    {
      name: 'vouching by a user who may not invite',
      allowed: false,
      room: (room) => restricted(room).withMember(DAVE, 'join'),
      event: membership(CAROL, 'join', CAROL, { join_authorised_via_users_server: DAVE }),
      options: signed,
    },
    {
      name: 'vouching by what is no string',
      allowed: false,
      room: restricted,
      event: membership(CAROL, 'join', CAROL, { join_authorised_via_users_server: [BOB] }),
      options: signed,
    },
    {
      name: 'vouching under the rule invite',
      allowed: false,
      event: membership(CAROL, 'join', CAROL, vouched),
      options: signed,
    },
  ]);

  it.each(ALL)("allows the creator's first join and nobody else's (version %s)", (version) => {
    const room = new TestRoom(version);
    const join = (userId: string, prev: string[]) => () =>
      authorise({ ...room.member(userId, 'join'), prev_events: prev }, room.roomId, room, room.version);
    expect(join(ALICE, [room.create.eventId])).not.toThrow();
    expect(join(BOB, [room.create.eventId])).toThrow(forbidden);
    expect(join(ALICE, ['$other'])).toThrow(forbidden);
    expect(join(ALICE, [room.create.eventId, '$other'])).toThrow(forbidden);
  });

  it('takes the creator from content in version 10 and from the sender in version 11', () => {
    const first = (version: string, userId: string) => {
      const room = new TestRoom(version, { creator: BOB });
      const event = { ...room.member(userId, 'join'), prev_events: [room.create.eventId] };
      return () => authorise(event, room.roomId, room, room.version);
    };
    expect(first('10', BOB)).not.toThrow();
    expect(first('10', ALICE)).toThrow(forbidden);
    expect(first('11', BOB)).toThrow(forbidden);
    expect(first('11', ALICE)).not.toThrow();
  });
});

describe('knock', () => {
  const knock = membership(CAROL, 'knock');
  runTable([
    { name: 'a knock', since: 7, allowed: true, room: joinRule('knock'), event: knock },
    {
      name: 'a knock under knock_restricted',
      since: 10,
      allowed: true,
      room: joinRule('knock_restricted'),
      event: knock,
    },
    {
      name: 'a knock again',
      since: 7,
      allowed: true,
      room: (r) => carolIs('knock')(joinRule('knock')(r)),
      event: knock,
    },
    {
      name: 'a knock for somebody else',
      allowed: false,
      room: joinRule('knock'),
      event: membership(CAROL, 'knock', BOB),
    },
    ...['invite', 'public', 'restricted'].map((rule) => ({
      name: `a knock under ${rule}`,
      allowed: false,
      room: joinRule(rule),
      event: knock,
    })),
    ...['ban', 'invite', 'join'].map((current) => ({
      name: `a knock after ${current}`,
      allowed: false,
      room: (room: TestRoom) => carolIs(current)(joinRule('knock')(room)),
      event: knock,
    })),
  ]);
});
