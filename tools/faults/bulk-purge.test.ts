import { purgeRoomJob, purgeRoomsJob } from '@seneschal/contracts';

import { bulkPurge, lastAttempt } from './bulk-purges.ts';
import { forbidDeletes, makeUnreadable, poison } from './damage.ts';
import { isFull, itBearsFaults } from './suite.ts';

const rooms = isFull ? 8 : 5;
const events = isFull ? 3000 : 500;
const [kind, child] = [purgeRoomsJob.name, purgeRoomJob.name];

describe('bulk purge', () => {
  const stand = itBearsFaults({
    middle: { kind: child, phase: 'delete', nth: 2 },
    shortened: { kind, phase: 'purge', nth: 3 },
    phases: [
      ...purgeRoomsJob.phases.map((phase) => ({ kind, phase })),
      ...purgeRoomJob.phases.map((phase) => ({ kind: child, phase })),
    ],
    ground: ({ servers }) => bulkPurge(servers, rooms, events),
    expected: {
      state: 'completed',
      done: rooms,
      items: Array.from({ length: rooms }, () => 'done'),
      result: { rooms, purged: rooms, failed: 0 },
    },
  });

  it('deletes rooms with poisoned and with unreadable rows among the others', async () => {
    const { servers } = stand();
    const ground = await bulkPurge(servers, 3, 10);
    const [first, second] = ground.rooms;
    if (first === undefined || second === undefined) throw new Error('There are no rooms.');
    for (const user of first.users) await poison(servers, first.roomId, user, '{"type":');
    await makeUnreadable(servers, second);
    expect(await stand().undisturbed(ground)).toMatchObject({
      state: 'completed',
      items: ['done', 'done', 'done'],
      result: { rooms: 3, purged: 3, failed: 0 },
    });
  }, 60_000);

  it('says of which room the deletion fails, deletes the others, and a retry deletes it when it can', async () => {
    const { servers } = stand();
    const ground = await bulkPurge(servers, 3, 10);
    await stand().checkpoints.clear();
    await forbidDeletes(servers, ground.rooms[1]?.roomNid ?? 0, true);
    const { jobId } = await ground.start();
    await lastAttempt(servers, ground.rooms[1]?.roomId ?? '');
    expect(await ground.end(jobId)).toMatchObject({
      state: 'partial',
      done: 3,
      failedItems: 1,
      items: ['done', 'failed', 'done'],
      result: { rooms: 3, purged: 2, failed: 1 },
    });
    await forbidDeletes(servers, 0, false);
    await servers.jobs.control(jobId, 'retry');
    expect(await ground.end(jobId)).toMatchObject({
      state: 'completed',
      done: 3,
      failedItems: 0,
      items: ['done', 'done', 'done'],
      result: { rooms: 3, purged: 3, failed: 0 },
    });
  }, 60_000);
});
