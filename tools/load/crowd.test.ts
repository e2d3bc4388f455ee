import { type Crowd, gather, riot, stateOf } from './crowd.ts';
import { readRoomLog, replay, type RoomLog } from './room-log.ts';
import { type Stage, startStage } from './stage.ts';

/** `npm run test:load` takes two minutes; beside the other tests it is a few seconds. */
const seconds = Number(process.env['SENESCHAL_LOAD_SECONDS'] ?? '6');
const clients = 32;
const workers = 4;

/** More than one at a time would be, if a server of many processes had forked its own rooms. */
const mostExtremities = 10;

describe(`${clients} clients on ${workers} workers that send, join, leave and change power levels`, () => {
  let stage: Stage;
  let crowd: Crowd;
  let logs: RoomLog[];

  beforeAll(
    async () => {
      stage = await startStage({ workers, gateways: 2 });
      crowd = await gather(stage, { clients, roomVersions: ['10', '11', '12', '12'] });
      await riot(crowd, seconds * 1000);
      logs = await Promise.all(crowd.roomIds.map((id) => readRoomLog(stage.database.tables(), id)));
      tell(crowd, logs);
    },
    seconds * 1000 + 300_000,
  );
  afterAll(() => stage.stop(), 60_000);

  it('are answered 200 or, where the room does not allow it, 403', () => {
    expect(crowd.actors.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('lose no event, and no event is there twice', () => {
    for (const { roomId, events } of logs) {
      const sent = crowd.actors.flatMap(({ messages }) => messages).filter((one) => one.roomId === roomId);
      const messages = events.filter(({ pdu }) => pdu.type === 'm.room.message');
      expect(messages.map(({ eventId }) => eventId).sort()).toEqual(
        sent.map(({ eventId }) => eventId).sort(),
      );
      expect(new Set(messages.map(({ pdu }) => pdu.content['body'])).size).toBe(messages.length);
      const set = crowd.actors.flatMap(({ states }) => states).filter((one) => one.roomId === roomId);
      const stored = new Set(events.map(({ eventId }) => eventId));
      expect(stored.size).toBe(events.length);
      expect(set.filter(({ eventId }) => !stored.has(eventId))).toEqual([]);
    }
  });

  it('are each told of every event once, and of all in the same order', () => {
    for (const { roomId, events } of logs) {
      const order = events.map(({ eventId }) => eventId);
      for (const view of crowd.views) {
        const { timeline } = viewOf(view, roomId);
        expect(timeline).toEqual(order.slice(order.length - timeline.length));
      }
      // Everybody began to follow at the same place.
      const lengths = crowd.views.map((view) => viewOf(view, roomId).timeline.length);
      expect(new Set(lengths).size).toBe(1);
    }
  });

  it('all see the state that the room has', async () => {
    const [client] = stage.clients;
    const [user] = crowd.users;
    if (client === undefined || user === undefined) throw new Error('There is nobody.');
    for (const log of logs) {
      const state = await stateOf(client, user, log.roomId);
      expect(state).toEqual(replay(log).state);
      for (const view of crowd.views) expect(viewOf(view, log.roomId).state).toEqual(state);
      for (const { userId } of crowd.users) expect(membership(log, state, userId)).toBe('join');
    }
  });

  it('never get an event into a room that does not allow it, nor fork the room', () => {
    for (const log of logs) {
      const { forbidden, mostExtremities: most, lastExtremities } = replay(log);
      expect(forbidden).toEqual([]);
      expect(most).toBeLessThanOrEqual(mostExtremities);
      expect(lastExtremities).toEqual(log.forwardExtremities);
    }
  });
});

function viewOf(view: Crowd['views'][number], roomId: string) {
  const found = view.rooms.get(roomId);
  if (found === undefined) throw new Error(`A client knows nothing of ${roomId}.`);
  return found;
}

function membership({ events }: RoomLog, state: ReadonlyMap<string, string>, userId: string): unknown {
  const eventId = state.get(`m.room.member ${userId}`);
  return events.find((event) => event.eventId === eventId)?.pdu.content['membership'];
}

/** What happened, for whoever reads the output. */
function tell({ actors, views }: Crowd, logs: readonly RoomLog[]): void {
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  const events = logs.flatMap((log) => log.events);
  const of = (type: string): number => events.filter(({ pdu }) => pdu.type === type).length;
  process.stderr.write(
    `${seconds} s: ${events.length} events, of them ${of('m.room.message')} messages, ` +
      `${of('m.room.member')} memberships, ${of('m.room.power_levels')} power levels; ` +
      `${sum(actors.map(({ refusals }) => refusals))} refusals, ${sum(views.map(({ syncs }) => syncs))} syncs, ` +
      `at most ${Math.max(...logs.map((log) => replay(log).mostExtremities))} forward extremities\n`,
  );
}
