import fc from 'fast-check';

import { resolveState, supportedRoomVersions, type ResolutionInput } from '../../src/index.ts';
import {
  ForkedRoom,
  joinRules,
  member,
  powerLevels,
  topic,
  USERS,
  type Sketch,
  type State,
} from './forked-room.ts';
import { transcribed } from './transcription.ts';

const user = fc.constantFrom(...USERS);
const level = fc.constantFrom(0, 25, 50, 75, 100);

/** What happens next in a random room: whoever does it, and whichever events the server of the user knows. */
const action = fc.record({
  sender: user,
  target: user,
  kind: fc.constantFrom(
    'join',
    'join',
    'leave',
    'ban',
    'invite',
    'levels',
    'levels',
    'rule',
    'topic',
    'topic',
  ),
  level,
  levels: fc.dictionary(user, level, { maxKeys: 4 }),
  rule: fc.constantFrom('public', 'invite', 'knock', 'private'),
  // Few different times, so that ties happen.
  time: fc.integer({ min: 0, max: 20 }),
  parents: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 3 }),
  isRejected: fc.boolean(),
});
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const actions = fc.array(action, { minLength: 5, maxLength: 40 });

function sketchOf(room: ForkedRoom, { sender, target, kind, levels, rule, ...one }: Action): Sketch {
  const ids = room.ids.filter((id) => room.events.get(id)?.isRejected !== true).slice(-12);
  const after = [...new Set(one.parents.map((index) => ids[index % ids.length]!))];
  const more = { time: one.time, after, evenIfRejected: one.isRejected };
  switch (kind) {
    case 'levels': {
      const users = room.version.privilegedCreators
        ? Object.fromEntries(Object.entries(levels).filter(([id]) => id !== USERS[0]))
        : levels;
      return { ...powerLevels(sender, users, { state_default: one.level, kick: 25, ban: 25 }), ...more };
    }
    case 'rule':
      return { ...joinRules(sender, rule), ...more };
    case 'topic':
      return { ...topic(sender, String(room.size)), ...more };
    case 'join':
      return { ...member(sender, 'join'), ...more };
    default:
      return { ...member(target, kind, sender), ...more };
  }
}

/** A room in which the actions happened; each merge of forks is resolved in both ways. */
function play(version: string, happened: readonly Action[]): ForkedRoom {
  const room = new ForkedRoom(version, bothWays);
  const [creator] = USERS;
  room.add(member(creator!, 'join'));
  room.add(powerLevels(creator!, room.version.privilegedCreators ? {} : { [creator!]: 100 }));
  room.add(joinRules(creator!, 'public'));
  for (const one of happened) room.add(sketchOf(room, one));
  return room;
}

function bothWays(input: ResolutionInput): State {
  const fast = resolveState(input);
  expect(sorted(fast)).toEqual(sorted(transcribed(input)));
  return fast;
}

const sorted = (state: State): [string, string][] => [...state].sort(([a], [b]) => (a < b ? -1 : 1));

/** The states after up to four events of the room, which need not be its last ones. */
function pick(room: ForkedRoom, picks: readonly number[]): State[] {
  return picks.map((index) => room.after(room.ids[index % room.size]!));
}

const picks = fc.array(fc.nat(), { minLength: 2, maxLength: 4 });
const runs = { numRuns: 150 };

describe.each(supportedRoomVersions.filter((id) => ['1', '2', '6', '10', '11', '12'].includes(id)))(
  'random forked rooms of version %s',
  (version) => {
    it('resolve as the specification says', () => {
      fc.assert(
        fc.property(actions, picks, (happened, chosen) => {
          const room = play(version, happened);
          bothWays(room.input(pick(room, chosen)));
        }),
        runs,
      );
    });

    it('resolve the same with events that only this server rejected', () => {
      fc.assert(
        fc.property(actions, picks, fc.array(fc.nat(), { maxLength: 4 }), (happened, chosen, rejected) => {
          const room = play(version, happened);
          const states = pick(room, chosen);
          for (const index of rejected) {
            const id = room.ids[index % room.size]!;
            if (id !== room.createId) room.events.set(id, { ...room.events.get(id)!, isRejected: true });
          }
          bothWays(room.input(states));
        }),
        runs,
      );
    });

    it('resolve the same in whatever order the states come, or come twice', () => {
      fc.assert(
        fc.property(actions, picks, fc.infiniteStream(fc.nat()), (happened, chosen, random) => {
          const room = play(version, happened);
          const states = pick(room, chosen);
          const expected = sorted(resolveState(room.input(states)));
          const shuffled = [...states, states[0]!].map((state) => new Map(shuffle([...state], random)));
          expect(sorted(resolveState(room.input(shuffle(shuffled, random))))).toEqual(expected);
        }),
        runs,
      );
    });

    it('resolve to a state that resolves to itself', () => {
      fc.assert(
        fc.property(actions, picks, (happened, chosen) => {
          const room = play(version, happened);
          const once = resolveState(room.input(pick(room, chosen)));
          expect(sorted(resolveState(room.input([once, new Map(once)])))).toEqual(sorted(once));
        }),
        runs,
      );
    });

    it('take the auth difference from the store where it gives one', () => {
      fc.assert(
        fc.property(actions, picks, (happened, chosen) => {
          const room = play(version, happened);
          const input = room.input(pick(room, chosen));
          const chains = input.states.map((state) => chainOf(room, [...state.values()]));
          const all = new Set(chains.flatMap((chain) => [...chain]));
          const authDifference = [...all].filter((id) => !chains.every((chain) => chain.has(id)));
          expect(sorted(resolveState({ ...input, authDifference }))).toEqual(sorted(resolveState(input)));
        }),
        runs,
      );
    });
  },
);

function chainOf(room: ForkedRoom, ids: readonly string[]): Set<string> {
  const chain = new Set(ids);
  for (const id of chain) {
    for (const parent of room.events.get(id)!.pdu.auth_events) {
      chain.add(typeof parent === 'string' ? parent : parent[0]);
    }
  }
  return chain;
}

function shuffle<T>(items: readonly T[], random: Iterator<number>): T[] {
  const shuffled = [...items];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = Number(random.next().value) % (index + 1);
    [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
  }
  return shuffled;
}
