import { purgeRoomJob } from '@seneschal/contracts';

import { makeUnreadable, poison } from './damage.ts';
import { purge } from './purges.ts';
import { isFull, itBearsFaults } from './suite.ts';

const events = isFull ? 20_000 : 4000;
const kind = purgeRoomJob.name;

const gone = { isDigestRight: true, isFinished: true, left: {} };

describe('purge', () => {
  const stand = itBearsFaults({
    middle: { kind, phase: 'delete', nth: 2 },
    shortened: { kind, phase: 'delete', nth: 'last' },
    phases: purgeRoomJob.phases.map((phase) => ({ kind, phase })),
    ground: ({ servers }) => purge(servers, events),
    expected: {
      ...gone,
      state: 'completed',
      items: [],
      counts: {
        roomserver_rooms: 1,
        roomserver_transactions: events,
        roomserver_memberships: 5,
        roomserver_reports: 1,
        userapi_account_data: 5,
        index_documents: 1,
      },
    },
  });

  it('passes over users who cannot be made to leave, and deletes what is poisoned with the rest', async () => {
    const { servers } = stand();
    const ground = await purge(servers, 100);
    await poison(servers, ground.roomId, ground.users[2] ?? '', 'no JSON');
    expect(await stand().undisturbed(ground)).toMatchObject({
      ...gone,
      state: 'completed',
      items: [{ state: 'skipped' }],
    });
  }, 60_000);

  it('deletes rows that PostgreSQL itself cannot read', async () => {
    const { servers } = stand();
    const ground = await purge(servers, 100);
    await makeUnreadable(servers, ground);
    // A worker that has not seen the room before has to read it.
    expect(await stand().undisturbed(ground)).toMatchObject({ ...gone, state: 'completed' });
  }, 60_000);
});
