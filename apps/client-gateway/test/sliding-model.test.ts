import type { TestClient, World } from '@seneschal/testing';
import fc from 'fast-check';

import {
  askSliding,
  everything,
  type SlidingAnswer,
  type SlidingRoom,
  type SlidingState,
} from './sliding.ts';
import { openStage } from './stage.ts';
import { room, say, setState, sync, type TestEvent } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

const allState: SlidingState = [['*', '*']];

interface KnownRoom {
  membership: string;
  /** By type and key. */
  state: Map<string, string>;
  timeline: string[];
}

/** A client that believes what it is told, and nothing else. */
class Client {
  readonly rooms = new Map<string, KnownRoom>();
  pos: string | undefined;

  apply(answer: SlidingAnswer): void {
    this.pos = answer.pos;
    for (const [roomId, told] of Object.entries(answer.rooms)) this.#apply(roomId, told);
  }

  #apply(roomId: string, told: SlidingRoom): void {
    if (told.membership !== 'join') {
      this.rooms.delete(roomId);
      if (told.membership === 'invite')
        this.rooms.set(roomId, { membership: 'invite', state: new Map(), timeline: [] });
      return;
    }
    const known = this.rooms.get(roomId);
    if (known === undefined && told.initial !== true) throw new Error(`${roomId} comes out of nowhere.`);
    const isNew = told.initial === true || known === undefined;
    const state = isNew ? new Map<string, string>() : known.state;
    for (const event of told.required_state) state.set(keyOf(event), event.event_id);
    const ids = told.timeline.map((event) => event.event_id);
    const isWhole = isNew || told.limited === true || told.expanded_timeline === true;
    const timeline = isWhole ? ids : [...known.timeline, ...ids];
    this.rooms.set(roomId, { membership: 'join', state, timeline });
  }
}

function keyOf({ type, state_key: key = '' }: TestEvent): string {
  return `${type} ${key}`;
}

type Step =
  | { kind: 'say' | 'topic' | 'leave' | 'kick' | 'join' | 'invite' | 'rename'; room: number }
  | { kind: 'look'; width: number; limit: number; isLost: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('say' as const), room: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(...(['topic', 'leave', 'kick', 'join', 'invite', 'rename'] as const)),
      room: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('look' as const),
      width: fc.integer({ min: 0, max: 3 }),
      limit: fc.integer({ min: 1, max: 4 }),
      isLost: fc.boolean(),
    }),
  },
);

let texts = 0;
/** A text that nothing was called by before. */
function fresh(): string {
  texts += 1;
  return `text ${texts}`;
}

/** Steps that are not possible, such as leaving twice, are refused and change nothing. */
async function act(carol: TestClient, roomId: string, kind: Exclude<Step['kind'], 'look'>): Promise<void> {
  const attempt = (client: TestClient, path: string, body: object): Promise<unknown> =>
    client.request('POST', `/_matrix/client/v3${room(roomId, path)}`, { body });
  if (kind === 'say') await say(bob, roomId, 'something');
  else if (kind === 'topic') await setState(bob, roomId, 'm.room.topic', { topic: fresh() });
  else if (kind === 'leave') await attempt(carol, '/leave', {});
  else if (kind === 'kick') await attempt(bob, '/kick', { user_id: carol.userId });
  else if (kind === 'join') await attempt(carol, '/join', {});
  else if (kind === 'invite') await attempt(bob, '/invite', { user_id: carol.userId });
  else await alice.call('PUT', `/profile/${alice.userId}/displayname`, { displayname: fresh() });
}

async function look(carol: TestClient, client: Client, width: number, limit: number): Promise<SlidingAnswer> {
  const lists = everything({ ranges: [[0, width]], timeline_limit: limit, required_state: allState });
  const answer = await askSliding(carol, { lists }, client.pos === undefined ? {} : { pos: client.pos });
  expect(answer.status).toBe(200);
  return answer.body as unknown as SlidingAnswer;
}

/** What the client knows is what plain sync and the rooms say. */
async function compare(carol: TestClient, client: Client): Promise<void> {
  const plain = (await sync(carol, { filter: { room: { timeline: { limit: 100 } } } })).rooms;
  const named = (kind: string): string[] =>
    [...client.rooms].filter(([, { membership }]) => membership === kind).map(([roomId]) => roomId);
  expect(named('join').sort()).toEqual(Object.keys(plain.join).sort());
  expect(named('invite').sort()).toEqual(Object.keys(plain.invite).sort());
  for (const roomId of named('join')) {
    const { state, timeline } = client.rooms.get(roomId)!;
    const current = (await carol.call('GET', room(roomId, '/state'))) as unknown as TestEvent[];
    expect(Object.fromEntries(state)).toEqual(
      Object.fromEntries(current.map((event) => [keyOf(event), event.event_id])),
    );
    const ids = plain.join[roomId]!.timeline.events.map((event) => event.event_id);
    expect(timeline.length).toBeGreaterThan(0);
    expect(ids.slice(-timeline.length)).toEqual(timeline.slice(-ids.length));
  }
}

let runs = 0;

describe('a client that follows sliding sync', () => {
  it('ends with the rooms, the state and the timelines of plain sync, whatever happened and was lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        runs += 1;
        const carol = await world.register(`carol${runs}`);
        const rooms: string[] = [];
        for (let n = 0; n < 4; n += 1) {
          rooms.push(await bob.createRoom({ preset: 'public_chat' }));
          await alice.join(rooms[n]!);
          await carol.join(rooms[n]!);
        }
        const client = new Client();
        for (const one of steps) {
          if (one.kind !== 'look') await act(carol, rooms[one.room]!, one.kind);
          else {
            const answer = await look(carol, client, one.width, one.limit);
            if (!one.isLost) client.apply(answer);
          }
        }
        await world.settled();
        client.apply(await look(carol, client, 9, 4));
        await compare(carol, client);
        expect((await look(carol, client, 9, 4)).rooms).toEqual({});
      }),
      { numRuns: 8 },
    );
  }, 240_000);
});
