import { once } from 'node:events';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';

import { roomserver } from '@seneschal/contracts';
import type { TestClient } from '@seneschal/testing';
import { sql } from 'kysely';

import { Stage } from '../../admin-gateway/test/stage.ts';
import { Progress } from '../src/progress.ts';
import type { Job } from '../src/jobs.ts';
import { startCli } from './running.ts';

/** A proxy in front of the server, which does to the events of jobs what `onEvents` says. */
async function proxy(
  to: string,
  onEvents: 'cut' | 'refuse',
): Promise<{ server: Server; url: string; tries: string[] }> {
  const tries: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const isEvents = incoming.url?.endsWith('/events') === true;
    if (isEvents) tries.push(String(incoming.headers['last-event-id'] ?? ''));
    if (isEvents && onEvents === 'refuse') {
      outgoing.writeHead(404).end('{"errcode":"M_UNRECOGNIZED","error":"Unrecognised request."}');
      return;
    }
    const passed = forward(
      `${to}${incoming.url ?? ''}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.on('error', () => undefined);
        // The first connection breaks once it has told how far the job is.
        if (!isEvents || tries.length > 1) answer.pipe(outgoing);
        else {
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            const isEnd = chunk.includes('event: progress');
            outgoing.write(chunk, () => isEnd && outgoing.destroy());
          });
        }
      },
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, tries, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('jobs', () => {
  let stage: Stage;
  let members: TestClient[];
  beforeAll(async () => {
    stage = await Stage.open();
    members = await Promise.all([...Array(12).keys()].map((one) => stage.world.register(`member${one}`)));
  });
  afterAll(() => stage.stop());

  const environment = (url = stage.world.url): Record<string, string> => ({
    SENESCHAL_CLI_SERVER: url,
    SENESCHAL_CLI_TOKEN: stage.admin.token,
  });
  const started = async (): Promise<string> => {
    const room = await stage.room(stage.user, members);
    const args = ['rooms', 'evacuate', room, '--yes', '--no-wait', '--json'];
    const { code, out } = await startCli(args, environment()).ended;
    expect(code).toBe(0);
    return (JSON.parse(out) as { job_id: string }).job_id;
  };

  it('are followed to their end, and the answer is that of the call', async () => {
    const room = await stage.room(stage.user, members);
    const { code, out } = await startCli(['rooms', 'evacuate', room, '--yes', '--json'], environment()).ended;
    expect(code).toBe(0);
    expect((JSON.parse(out) as { affected: string[] }).affected.sort()).toEqual(
      [stage.user, ...members].map(({ userId }) => userId).sort(),
    );
  });

  it('are started with --no-wait, and watched later', async () => {
    const jobId = await started();
    const watched = await startCli(['jobs', 'watch', jobId], environment()).ended;
    expect([watched.code, watched.out]).toEqual([0, expect.stringMatching(/state +completed/)]);
    expect(watched.err).toMatch(/13 of 13 · 100 % · completed · evacuate_room !/);
  });

  it('end with 5 when something could not be done, and it is named', async () => {
    const room = await stage.room(stage.user, members);
    await stage.damage(room, members[0]?.userId ?? '');
    const { code, out } = await startCli(['rooms', 'evacuate', room, '--yes', '--json'], environment()).ended;
    expect(code).toBe(5);
    expect((JSON.parse(out) as { failed: { user_id: string }[] }).failed).toEqual([
      expect.objectContaining({ user_id: members[0]?.userId }),
    ]);
  });

  it('go on after Ctrl-C, which says how to watch and to cancel them', async () => {
    const { jobId, release } = await held(stage);
    const child = startCli(['jobs', 'watch', jobId], environment());
    await child.said('evacuate_room');
    child.interrupt();
    const { code, err } = await child.ended;
    expect(code).toBe(130);
    expect(err).toContain(`seneschal jobs watch ${jobId}`);
    expect(err).toContain(`seneschal jobs cancel ${jobId}`);
    await release();
    expect((await startCli(['jobs', 'watch', jobId], environment()).ended).code).toBe(0);
  });

  it('end with 4 when they were cancelled', async () => {
    const { jobId, release } = await held(stage);
    const cancelled = await startCli(['jobs', 'cancel', jobId], environment()).ended;
    expect([cancelled.code, cancelled.out]).toEqual([0, expect.stringMatching(/state +cancelling/)]);
    await release();
    await stage.world.homeserver.platform.jobs.settled();
    // Whether it was still to be cancelled then is a matter of the moment, and not of this test.
    await sql`UPDATE jobs SET state = 'cancelled' WHERE job_id = ${jobId}`.execute(stage.world.sql);
    const { code, out } = await startCli(['jobs', 'watch', jobId], environment()).ended;
    expect([code, out]).toEqual([4, expect.stringMatching(/state +cancelled/)]);
  });

  it('are followed from the last event on when the connection breaks', async () => {
    const { jobId, release } = await held(stage);
    const { server, tries, url } = await proxy(stage.world.url, 'cut');
    const child = startCli(['jobs', 'watch', jobId], environment(url));
    await child.said('evacuate_room');
    await release();
    expect((await child.ended).code).toBe(0);
    expect(tries[0]).toBe('');
    expect(tries[1]).toMatch(/^\d+$/);
    server.closeAllConnections();
    server.close();
  });

  it('are asked for again and again where there are no events', async () => {
    const jobId = await started();
    const { server, tries, url } = await proxy(stage.world.url, 'refuse');
    const { code, out } = await startCli(['jobs', 'watch', jobId], environment(url)).ended;
    expect([code, out]).toEqual([0, expect.stringMatching(/state +completed/)]);
    expect(tries).toHaveLength(3);
    server.closeAllConnections();
    server.close();
  });
});

/** A job of an evacuation that waits for its room, which is in other hands until it is released. */
async function held(stage: Stage): Promise<{ jobId: string; release: () => Promise<void> }> {
  const roomId = await stage.room(stage.user);
  const signals: Record<'locked' | 'release', () => void> = {
    locked: () => undefined,
    release: () => undefined,
  };
  const isLocked = new Promise<void>((resolve) => (signals.locked = resolve));
  const isReleased = new Promise<void>((resolve) => (signals.release = resolve));
  const holding = stage.world.sql.transaction().execute(async (transaction) => {
    await sql`SELECT 1 FROM roomserver_rooms WHERE room_id = ${roomId} FOR UPDATE`.execute(transaction);
    signals.locked();
    await isReleased;
  });
  await isLocked;
  const requestedBy = stage.admin.userId;
  const { jobId } = await stage.world.homeserver.platform.jobs.start(
    roomserver.evacuateRoomJob,
    { roomId, block: false, requestedBy },
    { requestedBy },
  );
  const release = async (): Promise<void> => {
    signals.release();
    await holding;
  };
  return { jobId, release };
}

describe('Progress', () => {
  const job = (change: Partial<Job>): Job => ({
    job_id: 'J',
    kind: 'purge_room',
    target: '!\u001broom',
    state: 'running',
    phase: 'events',
    done: 0,
    total: 1000,
    failed_items: 0,
    last_error: null,
    items_per_second: 100,
    estimated_end_ts: null,
    ...change,
  });

  it('is a bar that moves at a terminal, and no wider than that', async () => {
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
    const printed = text(output);
    const progress = new Progress(output);
    progress.show(job({ done: 500, failed_items: 2 }));
    progress.show(job({ done: 1000, state: 'completed' }));
    output.end();
    const frames = (await printed).split('\r\u001b[K').slice(1);
    expect(frames[0]).toMatch(/^\[█{12}░{12}\] 500 of 1,000 · 50 % · events · …$/);
    expect(frames[1]).toMatch(/^\[█{24}\] 1,000 of 1,000 · 100 % · comple…\n$/);
    expect(frames.join('')).not.toContain('\u001b');
  });

  it('is a line for each phase, and every ten seconds, elsewhere', async () => {
    const output = new PassThrough();
    const printed = text(output);
    let now = 0;
    const progress = new Progress(output, () => now);
    progress.show(job({}));
    progress.show(job({ done: 10 }));
    now = 10_000;
    progress.show(job({ done: 20 }));
    progress.show(job({ done: 30, phase: 'state' }));
    progress.show(job({ done: 1000, state: 'completed' }));
    output.end();
    expect(
      (await printed)
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(['0', '20', '30', '1,000']);
  });
});
