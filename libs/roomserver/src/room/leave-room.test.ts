import { join, newRoom, signer } from '../../test/fixtures.ts';
import { leaveRoom } from './leave-room.ts';
import { RoomDraft } from './room-draft.ts';

const bob = '@bob:localhost';

function roomWithBob(): RoomDraft {
  const draft = newRoom([bob]);
  join(draft, bob, { displayname: 'Bob', 'org.example.key': 1 });
  return draft;
}

describe('leaveRoom', () => {
  it('leaves by an event of the user, with the rest of the content kept', () => {
    const draft = roomWithBob();
    expect(leaveRoom(draft, bob)).toBeUndefined();
    const { pdu } = draft.events.at(-1)!;
    expect(pdu).toMatchObject({ sender: bob, state_key: bob, type: 'm.room.member' });
    expect(pdu.content).toEqual({ membership: 'leave', displayname: 'Bob', 'org.example.key': 1 });
    expect(draft.membership(bob)).toBe('leave');
  });

  it('does not take over what only belongs to an entry', () => {
    const draft = roomWithBob();
    const event = draft.member(bob)!.event!;
    const content = { ...event.pdu.content, join_authorised_via_users_server: '@alice:localhost' };
    draft.setMember(bob, { membership: 'join', event: { ...event, pdu: { ...event.pdu, content } } });
    expect(leaveRoom(draft, bob)).toBeUndefined();
    expect(draft.events.at(-1)!.pdu.content).not.toHaveProperty('join_authorised_via_users_server');
  });

  it('E1: says why who cannot leave, and adds nothing', () => {
    const draft = roomWithBob();
    const before = draft.events.length;
    const event = draft.member(bob)!.event!;
    const banned = { ...event, pdu: { ...event.pdu, content: { membership: 'ban' } } };
    draft.setMember(bob, { membership: 'join', event: banned });
    expect(leaveRoom(draft, bob)).toMatch(/says "ban"/);
    expect(draft.events).toHaveLength(before);
  });

  it('E3: says so when the membership event cannot be read', () => {
    const draft = roomWithBob();
    draft.setMember(bob, { membership: 'join', event: undefined });
    expect(leaveRoom(draft, bob)).toMatch(/cannot be read/);
  });

  it('leaves a room whose create event is missing', () => {
    const healthy = roomWithBob();
    const state = new Map([...healthy.state].filter(([key]) => !key.startsWith('m.room.create')));
    const draft = new RoomDraft({ ...healthy.room, state }, signer);
    draft.setMember(bob, healthy.member(bob));
    expect(leaveRoom(draft, bob)).toBeUndefined();
    expect(draft.membership(bob)).toBe('leave');
  });

  it('leaves a room whose power levels are nonsense', () => {
    const draft = roomWithBob();
    const levels = draft.stateEvent('m.room.power_levels')!;
    const state = new Map(draft.state);
    state.set('m.room.power_levels\0', {
      ...levels,
      pdu: { ...levels.pdu, content: { users: 'everyone' } },
    });
    const damaged = new RoomDraft({ ...draft.room, state }, signer);
    damaged.setMember(bob, draft.member(bob));
    expect(leaveRoom(damaged, bob)).toBeUndefined();
  });
});
