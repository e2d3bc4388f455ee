import fc from 'fast-check';

import {
  isEventVisible,
  parseHistoryVisibility,
  visibilityFilter,
  type MembershipChange,
  visibleRanges,
} from '../src/index.ts';

const MESSAGE = { type: 'm.room.message' };
const VISIBILITY = { type: 'm.room.history_visibility', state_key: '' };
const MEMBER = { type: 'm.room.member', state_key: '@me:here' };

/** Invited at 10, joined at 20, left at 30, joined again at 40, banned at 50. */
const STORY: MembershipChange[] = [
  { position: 10, membership: 'invite' },
  { position: 20, membership: 'join' },
  { position: 30, membership: 'leave' },
  { position: 40, membership: 'join' },
  { position: 50, membership: 'ban' },
];

const seen = (value: string | undefined, story = STORY) => {
  const visible = visibilityFilter(story, value === undefined ? [] : [{ position: 0, value }]);
  return [5, 15, 25, 35, 45, 55].filter((position) => visible(position, MESSAGE));
};

describe('visibilityFilter', () => {
  it.each<[string | undefined, number[]]>([
    ['world_readable', [5, 15, 25, 35, 45, 55]],
    ['shared', [5, 15, 25, 35, 45]],
    ['invited', [15, 25, 45]],
    ['joined', [25, 45]],
    ['nonsense', [5, 15, 25, 35, 45]],
    [undefined, [5, 15, 25, 35, 45]],
  ])('under %s shows what the specification says', (value, expected) => {
    expect(seen(value)).toEqual(expected);
  });

  it.each<[string, number[]]>([
    ['world_readable', [5, 15, 25, 35, 45, 55]],
    ['shared', []],
    ['invited', []],
    ['joined', []],
  ])('shows under %s to a stranger only what all the world may see', (value, expected) => {
    expect(seen(value, [])).toEqual(expected);
  });

  it('shows under shared nothing to someone who was only invited', () => {
    expect(seen('shared', [{ position: 10, membership: 'invite' }])).toEqual([]);
    expect(seen('invited', [{ position: 10, membership: 'invite' }])).toEqual([15, 25, 35, 45, 55]);
  });

  it('always shows the own membership events, and no others of that type', () => {
    const visible = visibilityFilter(STORY, [{ position: 0, value: 'joined' }]);
    expect([10, 20, 30, 40, 50].filter((position) => visible(position, MEMBER))).toHaveLength(5);
    expect(visible(35, { ...MEMBER, state_key: '@other:here' })).toBe(false);
  });

  it('uses the value in force at each event', () => {
    const changes = [
      { position: 10, value: 'joined' },
      { position: 20, value: 'world_readable' },
      { position: 30, value: 'joined' },
    ];
    const visible = visibilityFilter([], changes);
    expect([5, 15, 25, 35].map((position) => visible(position, MESSAGE))).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  it('shows a visibility change when the value before or after it allows', () => {
    const changes = [
      { position: 10, value: 'joined' },
      { position: 20, value: 'world_readable' },
      { position: 30, value: 'joined' },
    ];
    const visible = visibilityFilter([], changes);
    expect([10, 20, 30].map((position) => visible(position, VISIBILITY))).toEqual([false, true, true]);
  });
});

describe('visibleRanges', () => {
  const positions = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 8 });
  const changes = <T>(values: readonly T[]) =>
    fc
      .tuple(positions, fc.array(fc.constantFrom(...values), { minLength: 8, maxLength: 8 }))
      .map(([places, drawn]) =>
        [...places].sort((a, b) => a - b).map((position, index) => ({ position, value: drawn[index]! })),
      );

  it('answers at every position what the filter answers', () => {
    const memberships = changes(['join', 'leave', 'invite', 'ban', 'knock']);
    const visibilities = changes(['shared', 'joined', 'invited', 'world_readable', 'odd']);
    fc.assert(
      fc.property(memberships, visibilities, (drawn, values) => {
        const story = drawn.map(({ position, value }) => ({ position, membership: value }));
        const visible = visibilityFilter(story, values);
        const ranges = visibleRanges(story, values);
        for (let position = 0; position <= 42; position += 1) {
          const isWithin = ranges.some(({ from, to }) => from <= position && position < to);
          expect(isWithin).toBe(visible(position, MESSAGE));
        }
      }),
    );
  });

  it('joins ranges that touch', () => {
    const joined = [{ position: 10, membership: 'join' }];
    const values = [
      { position: 5, value: 'shared' },
      { position: 20, value: 'joined' },
    ];
    expect(visibleRanges(joined, values)).toEqual([{ from: -Infinity, to: Infinity }]);
    expect(visibleRanges([], values)).toEqual([]);
  });
});

describe('isEventVisible', () => {
  it.each([
    ['world_readable', undefined, false, true],
    ['joined', 'join', false, true],
    ['joined', 'invite', true, false],
    ['invited', 'invite', false, true],
    ['invited', 'knock', true, false],
    ['shared', 'leave', true, true],
    ['shared', 'leave', false, false],
  ] as const)(
    'under %s with membership %s, joined later %s: %s',
    (visibility, membership, joinedLater, expected) => {
      expect(isEventVisible({ visibility, membership, joinedLater })).toBe(expected);
    },
  );

  it('reads values that are not understood as shared', () => {
    expect([undefined, null, 1, 'x', 'shared', 'joined'].map(parseHistoryVisibility)).toEqual([
      ...Array<string>(5).fill('shared'),
      'joined',
    ]);
  });
});
