import { roomserver } from '@seneschal/contracts';

import { poison } from './damage.ts';
import { evacuation } from './evacuations.ts';
import { isFull, itBearsFaults } from './suite.ts';

const members = isFull ? 500 : 260;
const kind = roomserver.evacuateRoomJob.name;

describe('evacuation', () => {
  const stand = itBearsFaults({
    middle: { kind, phase: 'leave', nth: 1 },
    shortened: { kind, phase: 'leave', nth: 1 },
    phases: roomserver.evacuateRoomJob.phases.map((phase) => ({ kind, phase })),
    ground: ({ servers }) => evacuation(servers, members),
    expected: {
      state: 'completed',
      failed: [],
      stillIn: [],
      wrongLeaves: [],
      extremities: 1,
      isOneChain: true,
    },
  });

  it('waits while there is no place in the queue', async () => {
    const { servers } = stand();
    const ground = await evacuation(servers, 5);
    await stand().checkpoints.clear();
    await servers.bus.redis.config('SET', 'maxmemory', '1');
    const { jobId } = await ground.start();
    expect((await servers.jobs.wait(jobId, 1000))?.state).toBe('queued');
    await servers.bus.redis.config('SET', 'maxmemory', '0');
    expect(await ground.end(jobId)).toMatchObject({ state: 'completed', stillIn: [] });
  }, 60_000);

  it('names whose membership is poisoned or cannot be read, and takes out all others', async () => {
    const { servers } = stand();
    const ground = await evacuation(servers, 20);
    const bad = ground.users.slice(3, 5);
    const [first = '', second = ''] = bad;
    const wrongForm = '{"type":"m.room.member","content":{"membership":["join"]},"prev_events":[]}';
    await poison(servers, ground.roomId, first, wrongForm);
    await poison(servers, ground.roomId, second, 'no JSON');
    expect(await stand().undisturbed(ground)).toMatchObject({
      state: 'partial',
      failed: bad,
      stillIn: bad,
      affected: ground.users.filter((user) => !bad.includes(user)),
    });
  }, 60_000);
});
