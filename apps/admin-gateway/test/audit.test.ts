import { verifyAuditLog } from '@seneschal/audit';
import type { AuditEntry } from '@seneschal/contracts';
import { rowsOf } from '@seneschal/testing';
import { sql } from 'kysely';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/audit';
type Row = AuditEntry & { position: number; hash: string };

describe('the audit log', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  itRefusesOthers(
    () => stage,
    'GET',
    () => [path, `${path}/export`],
  );

  const rows = async (query: Record<string, string> = {}): Promise<Row[]> => {
    const answer = await stage.admin.request('GET', path, { query });
    return answer.body['entries'] as Row[];
  };
  const latest = async (action: string): Promise<Row | undefined> => (await rows({ action, limit: '1' }))[0];

  it('tells who did what to what, by which token, from where, why, and what came of it', async () => {
    const roomId = await stage.room(stage.user);
    const evacuate = `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;
    await stage.admin.request('POST', evacuate, {
      query: { dry_run: 'true', reason: 'spam' },
      headers: { 'User-Agent': 'operator/1' },
    });
    const row = await latest('POST /_dendrite/admin/evacuateRoom/:roomId');
    expect(row).toEqual({
      position: expect.any(Number) as number,
      hash: expect.stringMatching(/^[\w-]{43}$/) as string,
      ts: expect.any(Number) as number,
      actor: stage.admin.userId,
      device_id: stage.admin.deviceId,
      admin_token: null,
      token_digest: expect.stringMatching(/^[\w-]{12}$/) as string,
      ip: '127.0.0.1',
      user_agent: 'operator/1',
      action: 'POST /_dendrite/admin/evacuateRoom/:roomId',
      targets: [roomId],
      query: { dry_run: 'true', reason: 'spam' },
      arguments: null,
      reason: 'spam',
      status: 200,
      errcode: null,
      job_id: null,
      trace_id: expect.any(String) as string,
      duration_ms: expect.any(Number) as number,
    });
  });

  it('trap 21: keeps no password, wherever it stands', async () => {
    const password = 'hunter2 hunter2';
    const reset = `/_dendrite/admin/resetPassword/${encodeURIComponent(stage.user.userId)}`;
    await stage.admin.request('POST', reset, { body: { password, logout_devices: false } });
    await stage.admin.request('POST', reset, { body: { password, logout_devices: 7 } });
    await stage.admin.request('POST', reset, { query: { password }, body: { password: [password] } });
    expect((await latest('POST /_dendrite/admin/resetPassword/:user'))?.status).toBe(400);
    const [done] = await rows({ target: stage.user.userId, status: '200', limit: '1' });
    expect(done).toMatchObject({ arguments: { password: '[secret]', logout_devices: false } });
    const stored = await rowsOf<{ entry: string }>(stage.world.sql, 'SELECT entry FROM audit_log');
    expect(stored.map(({ entry }) => entry).join('\n')).not.toContain('hunter2');
  });

  it('keeps what was refused, but nothing of those who may not ask', async () => {
    const unknown = '/_dendrite/admin/evacuateRoom/!none:test.example';
    await stage.admin.request('POST', unknown);
    expect(await latest('POST /_dendrite/admin/evacuateRoom/:roomId')).toMatchObject({
      status: 404,
      errcode: 'M_NOT_FOUND',
      targets: ['!none:test.example'],
    });
    const before = (await rows())[0]!.position;
    await stage.user.request('POST', unknown);
    await stage.world.request('POST', unknown);
    await stage.admin.request('PUT', unknown);
    expect((await rows())[0]!.position).toBe(before + 1);
  });

  it('keeps that an administrator looked at somebody, not that a user looked at herself', async () => {
    const whois = (userId: string): string => `/_matrix/client/v3/admin/whois/${encodeURIComponent(userId)}`;
    const action = 'GET /_matrix/client/v3/admin/whois/:userId';
    await stage.user.request('GET', whois(stage.user.userId));
    await stage.user.request('GET', whois(stage.admin.userId));
    await stage.admin.request('GET', whois(stage.admin.userId));
    expect(await rows({ action })).toEqual([]);
    await stage.admin.request('GET', whois(stage.user.userId));
    expect(await rows({ action })).toMatchObject([{ targets: [stage.user.userId], status: 200 }]);
  });

  it('keeps that itself was read, and exported', async () => {
    await rows({ actor: '@nobody:test.example' });
    expect(await latest(`GET ${path}`)).toMatchObject({ query: { actor: '@nobody:test.example' } });
    const answer = await stage.admin.request('GET', `${path}/export`, { query: { status: '404' } });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = answer.text.trim().split('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ status: 404 });
    expect(await latest(`GET ${path}/export`)).toMatchObject({ status: 200 });
  });

  it('is read page by page, each row once', async () => {
    const seen: number[] = [];
    for (let from: string | undefined = '1000000'; from !== undefined;) {
      const { body } = await stage.admin.request('GET', path, { query: { from, limit: 3, dir: 'b' } });
      seen.push(...(body['entries'] as Row[]).map(({ position }) => position));
      from = body['next_token'] as string | undefined;
    }
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.at(-1)).toBe(1);
  });

  it.each(['limit=x', 'from=-1', 'dir=up', 'status=ok', 'since=1.5'])('refuses %s', async (query) => {
    expect(errorOf(await stage.admin.request('GET', `${path}?${query}`))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('is whole after many calls at once, with NUL and half characters among them', async () => {
    const odd = ['%00', '%F0%9F%98%80', 'x'.repeat(3000)];
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        stage.admin.request('POST', `/_dendrite/admin/evacuateRoom/!${odd[index % 3]!}:test.example`, {
          query: { reason: `\u0000${index}` },
        }),
      ),
    );
    const verdict = await verifyAuditLog(stage.world.homeserver.platform.database, { pageSize: 10 });
    expect(verdict.findings).toEqual([]);
    expect(verdict.rows).toBeGreaterThan(60);
  });

  it('refuses to do or to tell anything that it cannot keep', async () => {
    const { world, admin, user } = stage;
    const roomId = await stage.room(user);
    await sql`ALTER TABLE audit_pending RENAME TO audit_gone`.execute(world.sql);
    await sql`ALTER TABLE audit_head RENAME TO audit_head_gone`.execute(world.sql);
    const evacuate = `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;
    expect((await admin.request('POST', evacuate)).status).toBe(503);
    expect(await user.joinedRooms()).toContain(roomId);
    const whois = `/_matrix/client/v3/admin/whois/${encodeURIComponent(user.userId)}`;
    expect((await admin.request('GET', whois)).status).toBe(503);
    await sql`ALTER TABLE audit_gone RENAME TO audit_pending`.execute(world.sql);
    expect((await admin.request('POST', evacuate)).status).toBe(200);
    expect(await rowsOf(world.sql, 'SELECT id FROM audit_pending')).toHaveLength(1);
    await sql`ALTER TABLE audit_head_gone RENAME TO audit_head`.execute(world.sql);
  });
});
