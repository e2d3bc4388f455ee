import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  type CollectedSpan,
  removeKeys,
  startCollector,
  startProcess,
  startWorld,
  type TestAnswer,
  type TestCollector,
  testServices,
  uniqueName,
  withDatabase,
  type World,
} from '@seneschal/testing';

import { Fleet, type User } from './fleet.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const caller = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };

/** The spans from one up to the first of its trace that came. */
function pathOf(spans: readonly CollectedSpan[], last: CollectedSpan | undefined): CollectedSpan[] {
  const path: CollectedSpan[] = [];
  for (let span = last; span !== undefined;) {
    path.unshift(span);
    const parent: string | undefined = span.parentSpanId;
    span = spans.find(({ spanId }) => spanId === parent);
  }
  return path;
}

describe('a trace', () => {
  it('leads from the gateway over a worker into the job, its steps and the consumers', async () => {
    const collector = await startCollector();
    const fleet = await Fleet.start({
      SENESCHAL_TRACING_ENDPOINT: collector.endpoint,
      SENESCHAL_TRACING_SERVICE_NAME: 'our server',
      SENESCHAL_EVACUATE_JOB_SIZE: '1',
    });
    const { token } = await fleet.register('admin', true);
    const users = [await fleet.register('alice'), await fleet.register('bob')];
    const v3 = '/_matrix/client/v3';
    const ask = async (user: User | undefined, path: string, body: object): Promise<TestAnswer['body']> => {
      const asked = { token: user?.token ?? '', body };
      return (await fleet.ask('client-gateway', 'POST', `${v3}${path}`, asked)).body;
    };
    const room = { preset: 'public_chat', topic: 'something private' };
    const roomId = String((await ask(users[0], '/createRoom', room))['room_id']);
    await ask(users[1], `/join/${encodeURIComponent(roomId)}`, {});
    const path = `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;
    const answer = await fleet.ask('admin-gateway', 'POST', path, { token, headers: caller });
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([200, traceId]);
    // What was not sent yet is sent when a process ends.
    await fleet.stop();
    await collector.stop();
    const spans = collector.spans().filter((span) => span.traceId === traceId);
    const step = spans.find(({ name }) => name.startsWith('step evacuate_room.'));
    expect(pathOf(spans, step).map(({ name, process }) => [name, process.split(' ')[0]])).toEqual([
      ['POST /_dendrite/admin/evacuateRoom/:roomId', 'admin-gateway'],
      ['job evacuate_room', 'worker'],
      [step?.name, 'worker'],
    ]);
    const consumed = spans.filter(({ name }) => name.startsWith('consume '));
    expect(consumed.map(({ name }) => name)).toContain('consume syncapi-roomserver');
    const first = pathOf(spans, consumed[0]).at(0);
    expect(first).toMatchObject({ process: 'admin-gateway', parentSpanId: 'b7ad6b7169203331' });
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['our server']));
    const texts = collector.receiver.received.map(({ body }) => body).join();
    for (const secret of [token, fleet.secret, 'password of', 'something private', roomId]) {
      expect(texts).not.toContain(secret);
    }
  }, 120_000);
});

describe('tracing', () => {
  let collector: TestCollector;
  let world: World;
  beforeAll(async () => {
    collector = await startCollector();
    const settings = { SENESCHAL_TRACING_ENDPOINT: collector.endpoint };
    world = await startWorld({ settings, logLevel: 'debug' });
  });

  it('gives the lines of the log, the answer and the spans one ID, over commands and queries', async () => {
    const alice = await world.register('alice');
    const answer = await alice.request('POST', '/_matrix/client/v3/createRoom', { body: {} });
    const requestId = answer.headers.get('x-request-id');
    await world.settled();
    await world.stop();
    await collector.stop();
    const spans = collector.spans().filter((span) => span.traceId === requestId);
    const handled = spans.find(({ name }) => name === 'roomserver.createRoom');
    expect(pathOf(spans, handled).map(({ name }) => name)).toEqual([
      'POST /_matrix/client/v3/createRoom',
      'call roomserver.createRoom',
      'roomserver.createRoom',
    ]);
    const query = spans.find((span) => span.parentSpanId === handled?.spanId && span.name === 'INSERT');
    expect(String(query?.attributes['db.query.text'])).toMatch(/^INSERT INTO \S+ .*\$1/i);
    const lines = world.logs.filter((line) => line.includes(`"traceId":"${requestId ?? ''}"`));
    expect(lines.some((line) => line.includes('"msg":"command"'))).toBe(true);
    expect(lines.some((line) => line.includes('"msg":"request"'))).toBe(true);
  });

  it('harms nothing while its collector is away, and says so', async () => {
    const settings = { SENESCHAL_TRACING_ENDPOINT: 'http://127.0.0.1:1/v1/traces' };
    const lost = await startWorld({ settings, logLevel: 'warn' });
    const alice = await lost.register('alice');
    const { status } = await alice.request('POST', '/_matrix/client/v3/createRoom', { body: {} });
    expect(status).toBe(200);
    await lost.stop();
    expect(lost.logs.join()).toContain('traces do not reach their collector');
  });

  it('loads no SDK of OpenTelemetry unless it is configured', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-loaded-'));
    const database = await withDatabase();
    const { redisUrl } = testServices();
    const prefix = uniqueName();
    const settings = {
      SENESCHAL_DATABASE_URL: database.url,
      SENESCHAL_REDIS_URL: redisUrl,
      SENESCHAL_REDIS_PREFIX: prefix,
      SENESCHAL_DATA_DIR: folder,
      SENESCHAL_LISTEN: '127.0.0.1:0',
      SENESCHAL_LOG_LEVEL: 'silent',
    };
    const file = join(import.meta.dirname, 'loaded-packages.ts');
    const ask = async (more: Record<string, string>): Promise<unknown> => {
      const server = await startProcess(file, { ...settings, ...more });
      const answer = await server.next();
      await server.stop();
      return answer;
    };
    expect(await ask({})).toMatchObject({ telemetry: 0 });
    const loaded = await ask({ SENESCHAL_TRACING_ENDPOINT: 'http://127.0.0.1:1/v1/traces' });
    expect((loaded as { telemetry: number }).telemetry).toBeGreaterThan(0);
    await database.stop();
    await removeKeys(redisUrl, prefix);
    await rm(folder, { recursive: true });
  });
});
