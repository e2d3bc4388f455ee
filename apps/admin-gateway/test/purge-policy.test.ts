import { Stage } from './stage.ts';

async function runs(stage: Stage) {
  return (await stage.world.homeserver.platform.jobs.reads.list({ kind: 'purge_rooms' }, { limit: 10 })).rows;
}

describe('the purge policy', () => {
  it('is off by default', async () => {
    const stage = await Stage.open();
    expect(await runs(stage)).toEqual([]);
    await stage.stop();
  });

  it('starts one job a run, with the limit and the exclusions of the configuration', async () => {
    const stage = await Stage.open({
      settings: {
        SENESCHAL_PURGE_EMPTY_AFTER: '12h',
        SENESCHAL_PURGE_EVERY: '365d',
        SENESCHAL_PURGE_LIMIT: '7',
        SENESCHAL_PURGE_EXCLUDE: '!keep:test.example, !keep2:test.example',
      },
    });
    await stage.user.createRoom();
    const [run, ...others] = await runs(stage);
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      requestedBy: 'purge policy',
      input: {
        limit: 7,
        filter: { emptyForDays: 0.5 },
        exclude: ['!keep:test.example', '!keep2:test.example'],
      },
    });
    const ended = await stage.world.homeserver.platform.jobs.wait(run?.jobId ?? '', 30_000);
    expect(ended?.state).toBe('completed');
    await stage.stop();
  });
});
