import { compileFilter, parseFilterText, parseRoomEventFilter } from './filters.ts';

describe('a sync filter', () => {
  it('lets everything through when it is empty, ten events of each timeline', () => {
    const filter = compileFilter({});
    expect(filter).toMatchObject({ timelineLimit: 10, timeline: undefined, includeLeave: false });
    expect(filter.lazyLoadMembers).toBe(false);
    expect(filter.wantsRoom('!any')).toBe(true);
    expect(filter.wantsState({ type: 'm.room.name', sender: '@a:b' })).toBe(true);
    expect(filter.wantsAccountData('any') && filter.wantsRoomAccountData('any')).toBe(true);
  });

  it('is bounded, and may ask for no timeline at all', () => {
    const limit = (value: number): number =>
      compileFilter({ room: { timeline: { limit: value } } }).timelineLimit;
    expect([limit(1000), limit(0), limit(7)]).toEqual([100, 0, 7]);
  });

  it('chooses rooms; what it excludes is excluded even where it is also wanted', () => {
    const filter = compileFilter({ room: { rooms: ['!a', '!b'], not_rooms: ['!b'] } });
    expect(['!a', '!b', '!c'].map((roomId) => filter.wantsRoom(roomId))).toEqual([true, false, false]);
  });

  it('chooses senders and types of state', () => {
    const state = { types: ['m.room.*'], not_types: ['m.room.name'], not_senders: ['@bad:b'] };
    const filter = compileFilter({ room: { state } });
    const wants = (type: string, sender = '@a:b'): boolean => filter.wantsState({ type, sender });
    expect([wants('m.room.topic'), wants('m.room.name'), wants('m.reaction')]).toEqual([true, false, false]);
    expect(wants('m.room.topic', '@bad:b')).toBe(false);
  });

  it.each([
    ['m.*', 'm.room', true],
    ['*', '', true],
    ['m.*.name', 'm.room.name', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['ab*ba', 'aba', false],
    ['m.room', 'm.room.name', false],
    [`${'a*'.repeat(500)}b`, 'a'.repeat(5000), false],
  ])('matches %s against %s: %p', (pattern, type, expected) => {
    const filter = compileFilter({ account_data: { types: [pattern] } });
    expect(filter.wantsAccountData(type)).toBe(expected);
  });

  it.each([
    { room: { timeline: { limit: -1 } } },
    { room: { timeline: { limit: 1.5 } } },
    { room: { rooms: '!a' } },
    { room: [] },
    { event_format: 'other' },
    { account_data: { types: [1] } },
  ])('refuses %j', (definition) => {
    expect(() => compileFilter(definition)).toThrow(
      expect.objectContaining({ errcode: 'M_BAD_JSON' }) as Error,
    );
  });

  it('keeps what it does not know, as later versions may', () => {
    expect(() => compileFilter({ org_example: 1, room: { org_example: {} } })).not.toThrow();
  });
});

describe('a filter of messages', () => {
  it('is read from the text of a query', () => {
    expect(parseRoomEventFilter('{"types":["m.room.message"],"lazy_load_members":true}')).toEqual({
      filter: { types: ['m.room.message'] },
      lazyLoadMembers: true,
    });
    expect(parseRoomEventFilter('{}')).toEqual({ lazyLoadMembers: false });
  });

  it('that holds NUL, which the database cannot look for, is refused', () => {
    expect(() => parseRoomEventFilter('{"types":["\\u0000"]}')).toThrow(
      expect.objectContaining({ errcode: 'M_BAD_JSON' }) as Error,
    );
  });

  it('that is no JSON is refused', () => {
    expect(() => parseFilterText('{')).toThrow(expect.objectContaining({ errcode: 'M_NOT_JSON' }) as Error);
  });
});
