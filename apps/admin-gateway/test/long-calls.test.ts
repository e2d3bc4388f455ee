import { buildEvent, type JsonObject, roomVersion } from '@seneschal/matrix';
import { type Peer, peerSettings, startPeer, type TestAnswer } from '@seneschal/testing';
import { sql } from 'kysely';

import { purgePath, roomPath, say } from './rooms.ts';
import { errorOf, Stage } from './stage.ts';

/** A call with something to do, made ready anew for each test. */
interface Ready {
  path: string;
  body?: Record<string, unknown>;
}

interface LongCall {
  /** As the API's description has it. */
  operation: string;
  ready(): Promise<Ready>;
  /** What the rehearsal of the call that is made ready counts, besides what is 0. */
  counts: Record<string, unknown>;
  /** Where the flag stands in the body. */
  flagInBody?: true;
  /** The job has not ended when the answer comes. */
  isLater?: true;
}

const encode = encodeURIComponent;
const some = expect.any(Number) as number;
const nothing = {
  events: 0,
  state: 0,
  users: 0,
  aliases: 0,
  reports: 0,
  index_documents: 0,
  remote_servers: 0,
  bytes: 0,
};

let stage: Stage, peer: Peer;
let names = 0;
beforeAll(async () => {
  const settings = { ...peerSettings, SENESCHAL_SERVER_NOTICES: 'on' };
  [stage, peer] = await Promise.all([Stage.open({ settings }), startPeer()]);
});
afterAll(() => Promise.all([stage.stop(), peer.stop()]));

function remoteUser(): string {
  const userId = `@remote${(names += 1)}:${peer.serverName}`;
  peer.answer(`/_matrix/federation/v1/user/devices/${encode(userId)}`, () => ({
    body: { user_id: userId, stream_id: 1, devices: [] },
  }));
  return userId;
}

/** A room with two members, an alias, a report, two messages and account data. */
async function usedRoom(): Promise<string> {
  const alias = `used${(names += 1)}`;
  const roomId = await stage.user.createRoom({ preset: 'public_chat', room_alias_name: alias });
  await stage.admin.join(roomId);
  const eventId = await say(stage.user, roomId, 'Call me Ishmael');
  await say(stage.user, roomId, 'Some years ago');
  await stage.admin.call('POST', roomPath(roomId, `/report/${eventId}`), { reason: 'too long' });
  await stage.user.call('PUT', `/user/${stage.user.userId}${roomPath(roomId, '/account_data/a.b')}`, {});
  await stage.world.settled();
  return roomId;
}

async function exportOf(roomId: string): Promise<string> {
  await stage.ask('POST', `${purgePath(roomId)}?export=true&evacuate=false`);
  const [, body] = await stage.ask('GET', `/_seneschal/v1/deletions?room_id=${encode(roomId)}`);
  return (body['deletions'] as { export: string }[])[0]?.export ?? '';
}

/** A room of whose state the peer has what is lost here: that one of its users is joined. */
async function roomToRepair(): Promise<string> {
  const roomId = await usedRoom();
  const found = await sql<{ event_id: string }>`
    SELECT event_id FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId} AND type IN ('m.room.power_levels', 'm.room.join_rules')
  `.execute(stage.world.sql);
  const rules = found.rows.map((row) => row.event_id);
  const userId = `@lost:${peer.serverName}`;
  const join = buildEvent(
    {
      ...{ type: 'm.room.member', room_id: roomId, sender: userId, state_key: userId },
      ...{ content: { membership: 'join' }, origin_server_ts: Date.now(), depth: 9 },
      ...{ prev_events: rules, auth_events: rules },
    },
    roomVersion('12'),
    peer.signer,
  );
  peer.answer(`/_matrix/federation/v1/state/${encode(roomId)}`, () => ({
    body: { pdus: [join.pdu], auth_chain: [] } as unknown as JsonObject,
  }));
  return roomId;
}

const ofRoom = { events: some, state: some, users: 2, aliases: 1, bytes: some };
const deleted = { ...ofRoom, reports: 1, index_documents: 2, account_data: 1, rows: some };

const evacuateRoom: Omit<LongCall, 'operation'> = {
  ready: async () => ({ path: `/_dendrite/admin/evacuateRoom/${encode(await usedRoom())}` }),
  counts: { events: 2, state: 2, users: 2, rooms: 1, bytes: some },
};
const evacuateUser: Omit<LongCall, 'operation'> = {
  ready: async () => {
    const user = await stage.world.register(`leaver${(names += 1)}`);
    for (const roomId of [await usedRoom(), await usedRoom()]) await user.join(roomId);
    return { path: `/_dendrite/admin/evacuateUser/${encode(user.userId)}` };
  },
  counts: { events: 2, state: 2, users: 1, rooms: 2, bytes: some },
};
const reindex: Omit<LongCall, 'operation'> = {
  ready: async () => ({ path: `/_dendrite/admin/fulltext/reindex?room_id=${encode(await usedRoom())}` }),
  counts: { events: 2, index_documents: 2 },
  isLater: true,
};

const downloadState: Omit<LongCall, 'operation'> = {
  ready: async () => ({
    path: `/_dendrite/admin/downloadState/${encode(peer.serverName)}/${encode(await roomToRepair())}`,
  }),
  counts: { events: 1, state: 1, dropped: 0, remote_servers: 1 },
};

/** Every call that may take long. One that is new gets a row here, or the first test fails. */
const longCalls: readonly LongCall[] = [
  { operation: 'GET /_dendrite/admin/evacuateRoom/{roomId}', ...evacuateRoom },
  { operation: 'POST /_dendrite/admin/evacuateRoom/{roomId}', ...evacuateRoom },
  { operation: 'GET /_dendrite/admin/evacuateUser/{userId}', ...evacuateUser },
  { operation: 'POST /_dendrite/admin/evacuateUser/{userId}', ...evacuateUser },
  { operation: 'GET /_dendrite/admin/fulltext/reindex', ...reindex },
  { operation: 'POST /_dendrite/admin/fulltext/reindex', ...reindex },
  { operation: 'GET /_dendrite/admin/downloadState/{serverName}/{roomId}', ...downloadState },
  { operation: 'POST /_dendrite/admin/downloadState/{serverName}/{roomId}', ...downloadState },
  {
    operation: 'POST /_dendrite/admin/purgeRoom/{roomId}',
    ready: async () => ({ path: purgePath(await usedRoom()) }),
    counts: deleted,
  },
  {
    operation: 'POST /_seneschal/v1/rooms/purge',
    ready: async () => ({
      path: '/_seneschal/v1/rooms/purge',
      body: { filter: { room_ids: [await usedRoom(), await usedRoom()] }, dry_run: false },
    }),
    counts: { ...deleted, rooms: 2, aliases: 2, reports: 2, index_documents: 4, account_data: 2 },
    flagInBody: true,
  },
  {
    operation: 'POST /_seneschal/v1/rooms/import',
    ready: async () => ({
      path: '/_seneschal/v1/rooms/import',
      body: { file: await exportOf(await usedRoom()) },
    }),
    counts: ofRoom,
  },
  {
    operation: 'POST /_dendrite/admin/refreshDevices/{userId}',
    ready: () => Promise.resolve({ path: `/_dendrite/admin/refreshDevices/${encode(remoteUser())}` }),
    counts: { users: 1, remote_servers: 1 },
  },
  {
    operation: 'POST /_seneschal/v1/devices/refresh',
    ready: () => {
      const body = { user_ids: [remoteUser(), remoteUser()] };
      return Promise.resolve({ path: '/_seneschal/v1/devices/refresh', body });
    },
    counts: { users: 2, remote_servers: 1 },
  },
  {
    operation: 'POST /_seneschal/v1/notices',
    ready: () => {
      const content = { msgtype: 'm.text', body: `Notice ${(names += 1)}` };
      const body = { content, user_ids: [stage.user.userId], per_second: 100 };
      return Promise.resolve({ path: '/_seneschal/v1/notices', body });
    },
    counts: { users: 1, events: 1 },
  },
];

function send(call: LongCall, { path, body }: Ready, headers: Record<string, string> = {}) {
  const [method = ''] = call.operation.split(' ');
  return stage.admin.request(method, path, { headers, ...(body === undefined ? {} : { body }) });
}

function rehearse(call: LongCall, { path, body }: Ready, value: unknown = true): Promise<TestAnswer> {
  if (call.flagInBody) return send(call, { path, body: { ...body, dry_run: value } });
  const query = `${path.includes('?') ? '&' : '?'}dry_run=${String(value)}`;
  return send(call, { path: path + query, ...(body === undefined ? {} : { body }) });
}

const idOf = (answer: TestAnswer): string => answer.headers.get('seneschal-job-id') ?? '';

async function ended(jobId: string): Promise<string | undefined> {
  return (await stage.world.homeserver.platform.jobs.wait(jobId, 30_000))?.state;
}

async function jobs(): Promise<number> {
  const { reads } = stage.world.homeserver.platform.jobs;
  return (await reads.list({}, { limit: 1000 })).rows.length;
}

describe('calls that may take long', () => {
  it('are all in the table of this test', async () => {
    const { body } = await stage.admin.request('GET', '/_seneschal/v1/openapi.json');
    const paths = body['paths'] as Record<string, Record<string, { responses: Record<string, unknown> }>>;
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { responses }]) => '202' in responses)
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(longCalls.map(({ operation }) => operation).toSorted());
  });
});

describe('calls that change something', () => {
  it('G11: are no GET, those apart that are one in Dendrite', async () => {
    const gets = longCalls.filter(({ operation }) => operation.startsWith('GET '));
    expect(gets.map(({ operation }) => operation)).toEqual([
      'GET /_dendrite/admin/evacuateRoom/{roomId}',
      'GET /_dendrite/admin/evacuateUser/{userId}',
      'GET /_dendrite/admin/fulltext/reindex',
      'GET /_dendrite/admin/downloadState/{serverName}/{roomId}',
    ]);
    for (const call of longCalls.filter((one) => !gets.includes(one))) {
      const other = call.operation.replace('POST ', 'GET ');
      if (gets.some((get) => get.operation === other)) continue;
      const { path } = await call.ready();
      expect([other, (await stage.admin.request('GET', path)).status]).toEqual([other, 405]);
    }
  });
});

describe.each(longCalls.map((call) => [call.operation, call] as const))('%s', (_operation, call) => {
  it('answers with the ID of a job that says what was done', async () => {
    const answer = await send(call, await call.ready());
    expect([answer.status, answer.body['errcode']]).toEqual([200, undefined]);
    expect(idOf(answer)).toMatch(/^[0-9a-f]{24}$/);
    if (call.isLater) await ended(idOf(answer));
    const [status, job] = await stage.ask('GET', `/_seneschal/v1/jobs/${idOf(answer)}`);
    expect([status, job]).toMatchObject([
      200,
      { state: 'completed', requested_by: stage.admin.userId, failed_items: 0, last_error: null },
    ]);
    expect(job['done']).toBe(job['total']);
  });

  it('answers 202 with the job when asked to respond-async', async () => {
    const answer = await send(call, await call.ready(), { Prefer: 'respond-async' });
    expect([answer.status, answer.body['job_id']]).toEqual([202, idOf(answer)]);
    expect(answer.headers.get('location')).toBe(`/_seneschal/v1/jobs/${idOf(answer)}`);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    expect(await ended(idOf(answer))).toBe('completed');
  });

  it('is one job for one Idempotency-Key, also when it has ended', async () => {
    const ready = await call.ready();
    const headers = { 'Idempotency-Key': `key${(names += 1)}` };
    const first = await send(call, ready, headers);
    if (call.isLater) await ended(idOf(first));
    const second = await send(call, ready, headers);
    expect([second.status, second.body, idOf(second)]).toEqual([first.status, first.body, idOf(first)]);
    expect([first.status, idOf(first)]).toEqual([200, expect.stringMatching(/^[0-9a-f]{24}$/)]);
    const broken = await send(call, ready, { 'Idempotency-Key': 'with a blank' });
    expect(errorOf(broken)).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('counts exactly what it would do with dry_run=true, and does nothing', async () => {
    const ready = await call.ready();
    const before = await jobs();
    const answer = await rehearse(call, ready);
    expect([answer.status, answer.body['dry_run']]).toEqual([200, true]);
    expect(answer.body['counts']).toEqual({ ...nothing, ...call.counts });
    expect(answer.body).toHaveProperty('estimated_ms');
    // Reading an archive is a job itself.
    expect(await jobs()).toBe(before + (idOf(answer) === '' ? 0 : 1));
    expect((await rehearse(call, ready, 'yes')).status).toBe(400);
    const real = await send(call, ready);
    expect(real.status).toBe(200);
    const again = await rehearse(call, await call.ready());
    expect(again.body['estimated_ms']).toEqual(some);
  });
});
