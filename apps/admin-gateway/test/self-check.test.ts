import { connectRedis } from '@seneschal/bus';
import { search } from '@seneschal/contracts';
import { createLogger } from '@seneschal/observability';
import { roomserverMigrations } from '@seneschal/roomserver';
import { type PrivateRedis, startBus, startPrivateRedis, withDatabase } from '@seneschal/testing';
import { userapiMigrations } from '@seneschal/userapi';
import { sql } from 'kysely';

import { clock } from '../src/self-check/clock.ts';
import type { Finding } from '../src/self-check/finding.ts';
import { postgresql } from '../src/self-check/postgresql.ts';
import { selfCheck } from '../src/self-check/self-check.ts';
import { work } from '../src/self-check/work.ts';
import { find, path, report } from './self-check.ts';
import { itRefusesOthers, Stage } from './stage.ts';

const asked = { ip: '127.0.0.1', header: () => undefined };

describe('a server to which something happens', () => {
  let stage: Stage;
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await startPrivateRedis();
    stage = await Stage.open({ redisUrl: redis.url, settings: { SENESCHAL_TRUSTED_PROXIES: '127.0.0.2' } });
  });
  afterAll(async () => {
    await stage.stop();
    await redis.stop();
  });

  itRefusesOthers(
    () => stage,
    'GET',
    () => [path],
  );

  it('is told of nothing but what all tests have in common', async () => {
    const { checks, findings } = await report(stage);
    expect(checks).toEqual('access secrets clock redis postgresql tables work search federation'.split(' '));
    const common = [
      'rate_limits_off',
      'weak_password_hashes',
      'postgresql_not_durable',
      'redis_keeps_nothing',
    ];
    expect(findings.map(({ id }) => id).sort()).toEqual(common.sort());
  });

  it('is told of a reverse proxy that nobody trusts', async () => {
    const plain = await Stage.open();
    try {
      expect(await find(plain, 'proxy_not_trusted')).toEqual([]);
      const found = await find(plain, 'proxy_not_trusted', { 'X-Forwarded-For': '1.1.1.1' });
      expect(found).toMatchObject([{ subject: '127.0.0.1' }]);
    } finally {
      await plain.stop();
    }
  });

  it('is told when it is reached from outside, unless that is allowed', async () => {
    const headers = { 'X-Forwarded-For': '1.1.1.1' };
    const id = 'admin_api_reached_from_outside';
    for (const [allowed, count] of [
      ['', 1],
      ['1.1.1.0/24', 0],
    ] as const) {
      const settings = {
        SENESCHAL_TRUSTED_PROXIES: 'loopback',
        SENESCHAL_ADMIN_ALLOWED_NETWORKS: allowed,
      };
      const behind = await Stage.open({ settings });
      expect(await find(behind, id, headers)).toHaveLength(count);
      await behind.stop();
    }
  });

  it('is told of a Redis that evicts, is almost full, or keeps nothing', async () => {
    const { redis: client } = stage.world.homeserver.platform.bus;
    const ids = async (): Promise<string[]> =>
      (await report(stage)).findings.map(({ id }) => id).filter((id) => id.startsWith('redis_'));
    const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    await client.config('SET', 'maxmemory', String(Math.round(used * 1.05)));
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await ids()).toEqual(['redis_evicts', 'redis_almost_full', 'redis_keeps_nothing']);
    await client.config('SET', 'maxmemory', '0');
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await client.config('SET', 'save', '3600 1');
    expect(await ids()).toEqual([]);
  });

  it('is told of a Redis that cannot write to its disk', async () => {
    const broken = await startPrivateRedis({ dir: '/proc' });
    const client = connectRedis(broken.url, 'bounded', createLogger('silent'));
    const own = await Stage.open({ redisUrl: broken.url });
    try {
      await client.bgsave();
      for (let isDone = false; !isDone;)
        isDone = (await client.info()).includes('rdb_last_bgsave_status:err');
      expect(await find(own, 'redis_cannot_write')).toHaveLength(1);
    } finally {
      await own.stop();
      client.disconnect();
      await broken.stop();
    }
  });

  it('is told of an index that is gone, whatever one like it is called', async () => {
    const { sql: db } = stage.world;
    expect(await find(stage, 'missing_index')).toEqual([]);
    await sql`DROP INDEX jobs_newest`.execute(db);
    expect(await find(stage, 'missing_index')).toMatchObject([
      {
        subject: 'jobs_newest',
        severity: 'critical',
        remedy: 'CREATE INDEX CONCURRENTLY jobs_newest ON jobs USING btree (created_ts, job_id)',
      },
    ]);
    await sql`CREATE INDEX jobs_newest_again ON jobs (created_ts, job_id)`.execute(db);
    expect(await find(stage, 'missing_index')).toEqual([]);
  });

  it('is told of an index that was never completed', async () => {
    const { sql: db } = stage.world;
    await stage.world.register('one');
    await stage.world.register('two');
    const unique = sql`CREATE UNIQUE INDEX CONCURRENTLY half_made ON userapi_accounts (account_type)`;
    await expect(unique.execute(db)).rejects.toThrow();
    expect(await find(stage, 'invalid_index')).toMatchObject([
      { subject: 'half_made', remedy: 'REINDEX INDEX CONCURRENTLY half_made' },
    ]);
    await sql`DROP INDEX half_made`.execute(db);
  });

  it('is told of tables that are older than the code', async () => {
    const { sql: db } = stage.world;
    const gone = await sql`DELETE FROM syncapi_migrations WHERE name = '0001_filters' RETURNING *`.execute(
      db,
    );
    expect(gone.rows).toHaveLength(1);
    expect(await find(stage, 'pending_migration')).toMatchObject([{ subject: 'syncapi/0001_filters' }]);
    await sql`INSERT INTO syncapi_migrations SELECT * FROM jsonb_populate_record(
      NULL::syncapi_migrations, ${JSON.stringify(gone.rows[0])}::jsonb)`.execute(db);
    expect(await find(stage, 'pending_migration')).toEqual([]);
  });

  it('is told of jobs that nobody runs', async () => {
    const { sql: db } = stage.world;
    const ago = Date.now() - 120_000;
    const insert = (jobId: string, component: string, updated: number) =>
      sql`INSERT INTO jobs (job_id, component, kind, target, weight, keeps, input, state, phase, requested_by,
        created_ts, updated_ts) VALUES (${jobId}, ${component}, 'moult', ${jobId}, 'light', 'failures', '{}',
        'queued', 'p', '@a:x', ${updated}, ${updated})`.execute(db);
    await insert('late', 'aviary', ago);
    await insert('young', 'aviary', Date.now());
    expect(await find(stage, 'late_job')).toMatchObject([
      { subject: 'moult', meaning: expect.stringContaining('1 of the jobs moult') as string },
    ]);
    await sql`DELETE FROM jobs`.execute(db);
    expect(await find(stage, 'late_job')).toEqual([]);
  });

  it('is told of a consumer that lags', async () => {
    const { sql: db } = stage.world;
    await db.transaction().execute(async (transaction) => {
      // Whoever holds the checkpoint keeps the consumer from going on.
      await sql`SELECT FROM bus_checkpoints WHERE consumer = 'roomserver-userapi' FOR UPDATE`.execute(
        transaction,
      );
      await sql`INSERT INTO userapi_output (position, fact, created_ts)
        SELECT nextval('userapi_output_position'), fact, ${Date.now() - 120_000}
        FROM (SELECT '{"kind":"device_list_changed","userId":"@a:x"}'::jsonb AS fact) f`.execute(db);
      const found = await find(stage, 'consumer_lags');
      expect(found).toContainEqual(expect.objectContaining({ subject: 'roomserver-userapi' }));
    });
    await stage.world.settled();
    expect(await find(stage, 'consumer_lags')).toEqual([]);
  });

  it('is told of a PostgreSQL whose connections are almost all in use', async () => {
    expect(await postgresql(stage.world.sql, 0.001).run(asked)).toContainEqual(
      expect.objectContaining({ id: 'postgresql_connections', severity: 'warning' }),
    );
    expect(await find(stage, 'postgresql_connections')).toEqual([]);
  });

  it('is told of clocks that differ', async () => {
    const { sql: db, homeserver } = stage.world;
    const { redis: client } = homeserver.platform.bus;
    const looked = async (by: number): Promise<Finding[]> =>
      clock({ db, redis: client, now: () => Date.now() + by }).run(asked);
    expect(await looked(0)).toEqual([]);
    for (const by of [5000, -5000]) {
      expect(await looked(by)).toMatchObject([
        { id: 'clock_differs', severity: 'warning', subject: 'PostgreSQL' },
        { id: 'clock_differs', severity: 'warning', subject: 'Redis' },
      ]);
    }
    expect(await looked(3_600_000)).toMatchObject([{ severity: 'critical' }, { severity: 'critical' }]);
  });

  it('is told of a search index that is gone, once there is something to find', async () => {
    const { sql: db } = stage.world;
    const roomId = await stage.room(stage.admin);
    expect(await find(stage, 'search_index_missing')).toEqual([]);
    const send = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`;
    const sent = await stage.admin.request('PUT', send, { body: { msgtype: 'm.text', body: 'found' } });
    expect(sent.status).toBe(200);
    await stage.world.settled();
    expect(await find(stage, 'search_index_missing')).toEqual([]);
    const gone = await sql`DELETE FROM search_indexes`.execute(db);
    expect(gone.numAffectedRows).toBe(1n);
    expect(await find(stage, 'search_index_missing')).toHaveLength(1);
  });

  it('is told of a check that cannot be made, and the others are made', async () => {
    const broken = { name: 'broken', run: () => Promise.reject(new Error('postgres://user:secret@host')) };
    const fine = { name: 'fine', run: () => [] };
    const told = await selfCheck([broken, fine], asked);
    expect(told).toMatchObject({ status: 'warning', checks: ['broken', 'fine'] });
    expect(told.findings).toMatchObject([{ id: 'check_failed', subject: 'broken' }]);
    expect(JSON.stringify(told)).not.toContain('secret');
  });
});

describe('a component without a worker', () => {
  it('is told of commands that wait', async () => {
    const test = await withDatabase({
      roomserver: roomserverMigrations,
      userapi: userapiMigrations,
    });
    const started = await startBus(test.database);
    const { bus } = started;
    const check = work({ bus, lateJobs: () => Promise.resolve([]) });
    const call = bus.call(search.purgeRoom, { roomId: '!r:x' }).catch((error: unknown) => error);
    for (let waiting = 0; waiting === 0;) {
      const backlog = await bus.backlog();
      waiting = backlog.find(({ component }) => component === 'search')?.waiting ?? 0;
    }
    expect(await check.run(asked)).toEqual([]);
    const [id] = await bus.redis.lrange(`${bus.prefix}:search:wait`, 0, 0);
    await bus.redis.hset(`${bus.prefix}:search:${id}`, 'timestamp', Date.now() - 40_000);
    expect(await check.run(asked)).toMatchObject([{ id: 'commands_wait', subject: 'search' }]);
    await started.stop();
    expect(await call).toMatchObject({ status: 503 });
    await test.stop();
  });
});
