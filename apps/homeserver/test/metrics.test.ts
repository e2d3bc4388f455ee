import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type EventLog, roomserver } from '@seneschal/contracts';
import { lastPosition } from '@seneschal/database';
import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const path = '/_seneschal/v1/metrics';

/** The value of a line such as `name{a="b"} 3`; labels in any order. */
function valueOf(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const line = text
    .split('\n')
    .find((one) => one.replace(/[{ ].*/, '') === name && wanted.every((label) => one.includes(label)));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

describe('the metrics', () => {
  let world: World;
  let admin: TestClient;
  beforeAll(async () => {
    world = await startWorld({ settings: { SENESCHAL_METRICS_LISTEN: '127.0.0.1:0' } });
    admin = await world.register('admin', { admin: true });
  });
  afterAll(() => world.stop());

  const read = async (): Promise<string> => (await admin.request('GET', path)).text;

  it('are for administrators, and on a listener of their own for whoever reaches that', async () => {
    expect((await world.request('GET', path)).status).toBe(401);
    const user = await world.register('user');
    expect((await user.request('GET', path)).status).toBe(403);
    const answer = await admin.request('GET', path);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const apart = await fetch(`${world.homeserver.metricsAddress!}/metrics`);
    expect(await apart.text()).toContain('seneschal_http_request_seconds');
    expect((await fetch(`${world.homeserver.metricsAddress!}/_matrix/client/versions`)).status).toBe(404);
    expect((await world.request('GET', '/metrics')).status).toBe(404);
  });

  it('count requests by declared route, so that no client can fill the memory with labels', async () => {
    await admin.request('GET', '/_matrix/client/v3/rooms/!a:test.example/members');
    await admin.request('GET', '/_matrix/client/v3/rooms/!b:test.example/members');
    await world.request('GET', '/no/such/path');
    await world.request('PROPFIND', '/no/such/path');
    const text = await read();
    const route = '/_matrix/client/v3/rooms/:roomId/members';
    expect(valueOf(text, 'seneschal_http_request_seconds_count', { route, status: '403' })).toBe(2);
    expect(
      valueOf(text, 'seneschal_http_request_seconds_count', { route: 'none', method: 'GET' }),
    ).toBeGreaterThan(0);
    expect(text).toContain('method="other"');
    expect(text).not.toContain('!a:test.example');
    expect(text).not.toContain('PROPFIND');
  });

  it('time commands by their outcome', async () => {
    await admin.createRoom();
    await admin.request('POST', '/_matrix/client/v3/rooms/!none:test.example/join', { body: {} });
    const text = await read();
    const created = { component: 'roomserver', command: 'createRoom', outcome: 'ok' };
    expect(valueOf(text, 'seneschal_command_seconds_count', created)).toBe(1);
    expect(valueOf(text, 'seneschal_command_seconds_count', { outcome: '404' })).toBeGreaterThan(0);
  });

  it('tell what stands in queues, logs, jobs and the pool', async () => {
    await world.settled();
    const text = await read();
    expect(valueOf(text, 'seneschal_queue_commands', { component: 'userapi', state: 'waiting' })).toBe(0);
    expect(valueOf(text, 'seneschal_queue_oldest_seconds', { component: 'roomserver' })).toBe(0);
    expect(valueOf(text, 'seneschal_database_waiting')).toBe(0);
    expect(valueOf(text, 'seneschal_database_connections', { state: 'busy' })).toBeGreaterThanOrEqual(0);
    expect(valueOf(text, 'seneschal_sync_waiting')).toBe(0);
    expect(text).toMatch(/^seneschal_log_lag_facts\{.*\} 0$/m);
    expect(valueOf(text, 'process_cpu_seconds_total')).toBeGreaterThan(0);
  });

  it('count a sync while it waits', async () => {
    const since = String((await admin.call('GET', '/sync?timeout=0'))['next_batch']);
    const waiting = admin.call('GET', `/sync?timeout=5000&since=${since}`);
    let seen: number | undefined;
    while (seen !== 1) seen = valueOf(await read(), 'seneschal_sync_waiting');
    await admin.createRoom();
    await waiting;
    expect(valueOf(await read(), 'seneschal_sync_waiting')).toBe(0);
  });

  it('tell how far a consumer is behind', async () => {
    await admin.createRoom();
    await world.settled();
    // A consumer that nobody runs.
    await sql`INSERT INTO bus_checkpoints (consumer, position) VALUES ('nobody', 0)`.execute(world.sql);
    const log = { ...roomserver.roomserverOutput, consumers: ['nobody'] } as EventLog<unknown>;
    const { bus, database } = world.homeserver.platform;
    const [lag] = await bus.lag(log);
    expect(lag?.facts).toBe(await lastPosition(database.tables(), log.table));
    expect(lag?.ms).toBeGreaterThan(0);
  });

  it('are those that the dashboard and the alerts ask for', async () => {
    const told = new Set([...(await read()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
    const files = ['alerts.yml', 'grafana/seneschal.json'].map((file) =>
      readFileSync(join(root, 'deploy/monitoring', file), 'utf8'),
    );
    const asked = files.flatMap((text) => [...text.matchAll(/\b((?:seneschal|nodejs|process)_\w+)/g)]);
    const names = asked.map(([, name]) => name!.replace(/_(count|bucket|sum)$/, ''));
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !told.has(name))).toEqual([]);
  });

  it('leave out what cannot be read, and tell the rest', async () => {
    await sql`ALTER TABLE bus_checkpoints RENAME TO bus_gone`.execute(world.sql);
    const text = await read();
    await sql`ALTER TABLE bus_gone RENAME TO bus_checkpoints`.execute(world.sql);
    expect(text).not.toMatch(/^seneschal_log_lag_facts\{/m);
    expect(text).toMatch(/^seneschal_http_request_seconds_count\{/m);
  });
});
