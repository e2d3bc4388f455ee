import { roomVersion, verifyEvent } from '@seneschal/matrix';

import { join, newRoom, signer } from '../../test/fixtures.ts';

const bob = '@bob:localhost';

describe('RoomDraft', () => {
  it('chains its events: each names the one before, and one forward extremity is left', () => {
    const draft = newRoom([bob]);
    join(draft, bob);
    const ids = draft.events.map((event) => event.eventId);
    expect(draft.events.map((event) => event.pdu.prev_events)).toEqual([
      [],
      ...ids.slice(0, -1).map((id) => [id]),
    ]);
    expect(draft.forwardExtremities).toEqual(ids.slice(-1));
    expect(draft.depth).toBe(ids.length);
  });

  it('signs what it appends', () => {
    const draft = newRoom();
    const { pdu } = draft.events[0]!;
    expect(verifyEvent(pdu, roomVersion('11'), 'localhost', signer.key.publicKey)).toBe(true);
  });

  it('refuses what the room does not allow and stays as it was', () => {
    const draft = newRoom([bob]);
    const before = draft.events.length;
    expect(() => draft.append({ type: 'm.room.message', sender: bob, content: {} })).toThrow(/not joined/);
    expect(draft.events).toHaveLength(before);
    expect(draft.forwardExtremities).toEqual([draft.events.at(-1)?.eventId]);
  });

  it('knows what each state event replaces', () => {
    const draft = newRoom();
    const name = (text: string) =>
      draft.append({
        type: 'm.room.name',
        sender: '@alice:localhost',
        stateKey: '',
        content: { name: text },
      });
    expect(name('a').replaces).toBeUndefined();
    expect(name('b').replaces?.pdu.content).toEqual({ name: 'a' });
  });

  it('tells membership changes with what was before', () => {
    const draft = newRoom([bob]);
    join(draft, bob);
    expect(draft.membershipChanges.at(-1)).toEqual({ userId: bob, previous: null, membership: 'join' });
  });

  it('does not take a membership that was not loaded for none', () => {
    expect(() => newRoom().membership(bob)).toThrow(/not loaded/);
  });
});
