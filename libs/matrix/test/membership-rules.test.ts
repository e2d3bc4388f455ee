import { ALICE, BOB, CAROL } from './fixtures.ts';
import { carolIs, DAVE, levels, membership, runTable, state } from './rule-table.ts';

describe('m.room.member', () => {
  runTable([
    {
      name: 'one without state_key',
      allowed: false,
      event: (room) => room.event({ type: 'm.room.member', sender: ALICE, content: { membership: 'join' } }),
    },
    { name: 'one without membership', allowed: false, event: state(ALICE, ALICE, 'm.room.member') },
    {
      name: 'a membership that is no string',
      allowed: false,
      event: membership(ALICE, 'join', ALICE, { membership: 1 }),
    },
    { name: 'an unknown membership', allowed: false, event: membership(ALICE, 'owner') },
    { name: 'the membership "constructor"', allowed: false, event: membership(ALICE, 'constructor') },
  ]);
});

describe('leave', () => {
  runTable([
    { name: 'a member leaving', allowed: true, event: membership(BOB, 'leave') },
    {
      name: 'an invited user declining',
      allowed: true,
      room: carolIs('invite'),
      event: membership(CAROL, 'leave'),
    },
    {
      name: 'a knocking user withdrawing',
      since: 7,
      allowed: true,
      room: carolIs('knock'),
      event: membership(CAROL, 'leave'),
    },
    { name: 'a stranger leaving', allowed: false, event: membership(CAROL, 'leave') },
    {
      name: 'a banned user leaving',
      allowed: false,
      room: carolIs('ban'),
      event: membership(CAROL, 'leave'),
    },
    { name: 'a kick', allowed: true, room: carolIs('join'), event: membership(CAROL, 'leave', BOB) },
    {
      name: 'a kick by a stranger',
      allowed: false,
      room: carolIs('join'),
      event: membership(CAROL, 'leave', DAVE),
    },
    {
      name: 'a kick of an equal',
      allowed: false,
      room: (r) => levels({ users: { [BOB]: 50, [CAROL]: 50 } })(carolIs('join')(r)),
      event: membership(CAROL, 'leave', BOB),
    },
    { name: 'a kick of the creator', allowed: false, event: membership(ALICE, 'leave', BOB) },
    {
      name: 'a kick without level',
      allowed: false,
      room: (r) => levels({ users: { [BOB]: 49 } })(carolIs('join')(r)),
      event: membership(CAROL, 'leave', BOB),
    },
    { name: 'an unban', allowed: true, room: carolIs('ban'), event: membership(CAROL, 'leave', BOB) },
    {
      name: 'an unban without level',
      allowed: false,
      room: (r) => levels({ users: { [BOB]: 50 }, ban: 51 })(carolIs('ban')(r)),
      event: membership(CAROL, 'leave', BOB),
    },
    {
      name: 'leaving a room whose power levels are broken',
      allowed: true,
      room: levels({ users: 'x' }),
      event: membership(BOB, 'leave'),
    },
  ]);
});

describe('ban', () => {
  runTable([
    { name: 'a ban', allowed: true, room: carolIs('join'), event: membership(CAROL, 'ban', BOB) },
    { name: 'a ban of a stranger', allowed: true, event: membership(CAROL, 'ban', BOB) },
    { name: 'a ban by a stranger', allowed: false, event: membership(CAROL, 'ban', DAVE) },
    {
      name: 'a ban without level',
      allowed: false,
      room: levels({ users: { [BOB]: 50 }, ban: 51 }),
      event: membership(CAROL, 'ban', BOB),
    },
    {
      name: 'a ban of an equal',
      allowed: false,
      room: levels({ users: { [BOB]: 50, [CAROL]: 50 } }),
      event: membership(CAROL, 'ban', BOB),
    },
  ]);
});
