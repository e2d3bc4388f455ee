import { purgeRoomJob, roomserver } from '@seneschal/contracts';
import { sql } from 'kysely';

import { Checkpoints } from './checkpoints.ts';
import { makeRoom, requestedBy } from './rooms.ts';
import { Servers } from './servers.ts';

const isFull = process.env['SENESCHAL_FAULTS'] === 'full';
const messages = isFull ? 20_000 : 300;

describe('a purge, while its worker is killed', () => {
  let servers: Servers;
  let checkpoints: Checkpoints;

  beforeAll(async () => {
    servers = await Servers.start();
    checkpoints = await Checkpoints.on(servers.databaseUrl);
  }, 120_000);
  afterAll(async () => {
    await checkpoints.stop();
    await servers.stop();
  }, 60_000);

  async function makeTalk(): Promise<{ roomId: string; roomNid: number }> {
    const { roomId, users } = await makeRoom(servers, 5);
    const input = { roomId, sender: users[0] ?? '', type: 'm.room.message' };
    for (let sent = 0; sent < messages; sent += 500) {
      const some = Array.from({ length: Math.min(500, messages - sent) }, (_, index) => sent + index);
      await Promise.all(
        some.map((index) =>
          servers.bus.call(roomserver.sendEvent, {
            ...input,
            content: { msgtype: 'm.text', body: `Message ${index}` },
          }),
        ),
      );
    }
    const { rows } = await sql<{ room_nid: number }>`
      SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId}`.execute(servers.database.tables());
    return { roomId, roomNid: rows[0]?.room_nid ?? 0 };
  }

  function purge(roomId: string): Promise<{ jobId: string }> {
    const input = { roomId, block: false, evacuate: true, export: false };
    return servers.jobs.start(purgeRoomJob, input, { requestedBy });
  }

  /** The end that an undisturbed purge comes to: it says so, and nothing of the room is left. */
  async function verifyPurged(
    jobId: string,
    { roomId, roomNid }: { roomId: string; roomNid: number },
  ): Promise<void> {
    expect((await servers.jobs.wait(jobId, 120_000))?.state).toBe('completed');
    const { rows } = await sql<{ left: number }>`
      SELECT (SELECT count(*) FROM roomserver_rooms WHERE room_id = ${roomId})
        + (SELECT count(*) FROM roomserver_events WHERE room_nid = ${roomNid})
        + (SELECT count(*) FROM roomserver_memberships WHERE room_nid = ${roomNid})
        + (SELECT count(*) FROM roomserver_current_state WHERE room_nid = ${roomNid}) AS left
    `.execute(servers.database.tables());
    expect(rows).toEqual([{ left: 0 }]);
  }

  it('comes to the same end at whichever checkpoint', async () => {
    const first = await makeTalk();
    await checkpoints.plan(0);
    await verifyPurged((await purge(first.roomId)).jobId, first);
    const total = await checkpoints.count();
    expect(total).toBeGreaterThanOrEqual(9);
    const all = Array.from({ length: total }, (_, index) => index + 1);
    const some = isFull ? all : [Math.ceil(total / 2), total];
    for (const [hold, isLost] of some.flatMap((one) => [
      [one, true] as const,
      ...(isFull ? [[one, false] as const] : []),
    ])) {
      const room = await makeTalk();
      await checkpoints.plan(hold);
      const { jobId } = await purge(room.roomId);
      const { worker, backend } = await checkpoints.held();
      await servers.kill(worker);
      await checkpoints.release(isLost ? backend : undefined);
      await verifyPurged(jobId, room);
      await servers.addWorker();
    }
  }, 1_800_000);
});
