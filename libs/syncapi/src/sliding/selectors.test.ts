import { addedPairs, configOf, selectorsOf, selects, stateConfig, textOf } from './selectors.ts';

const me = '@me:test.example';
const member = (stateKey: string): { type: string; state_key: string } => {
  return { type: 'm.room.member', state_key: stateKey };
};

describe('the state that a client asks for', () => {
  it('is the same text whatever the order', () => {
    const one = stateConfig(me, [
      [
        ['a', 'x'],
        ['b', 'y'],
      ],
    ]);
    const other = stateConfig(me, [[['b', 'y']], [['a', 'x']]]);
    expect(textOf(one)).toBe(textOf(other));
    expect(configOf(textOf(one))).toEqual(one);
  });

  it('has the own membership for $ME', () => {
    const selectors = selectorsOf(stateConfig(me, [[['m.room.member', '$ME']]]).pairs);
    expect(selects(selectors, member(me))).toBe(true);
    expect(selects(selectors, member('@you:test.example'))).toBe(false);
  });

  it('has all members with all types, unless they are told lazily', () => {
    const all = stateConfig(me, [[['*', '*']]]);
    expect(selects(selectorsOf(all.pairs), member(me))).toBe(true);
    const lazy = stateConfig(me, [
      [
        ['*', '*'],
        ['m.room.member', '$LAZY'],
      ],
    ]);
    expect(lazy.isLazy).toBe(true);
    expect(selects(selectorsOf(lazy.pairs), member(me))).toBe(false);
    expect(selects(selectorsOf(lazy.pairs), { type: 'm.room.topic', state_key: '' })).toBe(true);
  });

  it('is lazy for several lists as long as none of them has all members', () => {
    const lazily: [string, string][] = [['m.room.member', '$LAZY']];
    expect(stateConfig(me, [lazily, [['a', '']]]).isLazy).toBe(true);
    expect(stateConfig(me, [lazily, [['m.room.member', '*']]]).isLazy).toBe(false);
    expect(stateConfig(me, [lazily, [['*', '*']]]).isLazy).toBe(false);
  });

  it('says what was not asked for before', () => {
    const before = stateConfig(me, [[['a', '']]]);
    const now = stateConfig(me, [
      [
        ['a', ''],
        ['b', ''],
        ['m.room.member', '$LAZY'],
      ],
    ]);
    expect(selectorsOf(addedPairs(now, before))).toEqual([{ type: 'b', stateKey: '' }]);
    expect(addedPairs(before, now)).toEqual([]);
  });
});
