import type { AuditedCall, AuditedResult } from '@seneschal/contracts';
import { userInUse } from '@seneschal/matrix';
import { z } from 'zod';

import { endpoint, type Endpoint, Reply } from '../src/index.ts';
import { withServer } from './server.ts';

/** Keeps in memory what it is told, in the order of the telling. */
class Trail {
  readonly told: string[] = [];
  readonly calls: (AuditedCall & AuditedResult)[] = [];

  async begin(call: AuditedCall): Promise<string> {
    this.told.push(`begin ${call.action}`);
    return 'note';
  }

  async end(noteId: string | undefined, call: AuditedCall, result: AuditedResult): Promise<void> {
    this.told.push(`end ${noteId ?? 'without a note'}`);
    this.calls.push({ ...call, ...result });
  }

  async drop(noteId: string): Promise<void> {
    this.told.push(`drop ${noteId}`);
  }
}

const acting = (
  over: Partial<Endpoint>,
  handle: () => Promise<Record<string, unknown> | Reply> = async () => ({}),
): Endpoint => ({
  ...endpoint({
    method: 'POST',
    path: '/act/:userId',
    access: 'admin',
    rateLimit: 'admin',
    summary: 'Acts',
    params: z.object({ userId: z.string() }),
    body: z.looseObject({}),
    bodyOptional: true,
    answer: z.looseObject({}),
    otherAnswers: { 202: z.object({}) },
    handle,
  }),
  ...over,
});

async function told(one: Endpoint, body: object = {}, token: string | null = 'admin'): Promise<Trail> {
  const audit = new Trail();
  await withServer(
    [one],
    async (server) => {
      const init = { body: JSON.stringify(body), ...(token === null ? {} : { token }) };
      await server.send(one.method, '/act/@u:x?reason=why&access=x', init);
    },
    { audit },
  );
  return audit;
}

describe('what goes into the audit log', () => {
  it('is noted before the handler runs, and what came of it before the answer', async () => {
    const trail = await told(acting({ scope: 'users' }));
    expect(trail.told).toEqual(['begin POST /act/:userId', 'end note']);
    expect(trail.calls).toMatchObject([
      { actor: '@admin:test.example', targets: ['@u:x'], reason: 'why', status: 200 },
    ]);
  });

  it('needs no note when nothing changes', async () => {
    expect((await told(acting({ scope: 'read' }))).told).toEqual(['end without a note']);
  });

  it('has the status, the errcode and the job of the answer', async () => {
    const job = (): Promise<Reply> => Promise.resolve(new Reply(202, {}, { 'Seneschal-Job-Id': 'j1' }));
    expect((await told(acting({}, job))).calls).toMatchObject([{ status: 202, job_id: 'j1' }]);
    const refusal = (): Promise<never> => Promise.reject(userInUse('No.'));
    expect((await told(acting({}, refusal))).calls).toMatchObject([
      { status: 400, errcode: 'M_USER_IN_USE' },
    ]);
    const fault = (): Promise<never> => Promise.reject(new Error('secret detail'));
    const { calls } = await told(acting({}, fault));
    expect(calls).toMatchObject([{ status: 500, errcode: 'M_UNKNOWN' }]);
    expect(JSON.stringify(calls)).not.toContain('secret detail');
  });

  it('covers secrets at any depth, and cuts what is long', async () => {
    const body = {
      password: 'p1',
      list: [{ access_token: 'p2', newSecret: 'p3', name: 'n' }],
      auth: { session: 'p4' },
      mac: 'p5',
      long: 'x'.repeat(2000),
      many: Array.from({ length: 150 }, () => 1),
      room_id: '!r:x',
      logout: null,
    };
    const trail = await told(acting({ audit: true }), body);
    // The test server takes 1,000 bytes; what is larger is refused, and that is kept too.
    expect(trail.calls).toMatchObject([{ status: 413, arguments: null }]);
    const { long: _, many: __, ...short } = body;
    const [call] = (await told(acting({}), short)).calls;
    expect(call).toMatchObject({
      targets: ['@u:x', '!r:x'],
      arguments: {
        password: '[secret]',
        list: [{ access_token: '[secret]', newSecret: '[secret]', name: 'n' }],
        auth: '[secret]',
        mac: '[secret]',
        logout: null,
      },
    });
    expect(JSON.stringify(call)).not.toMatch(/p[1-5]/);
  });

  it('takes the reason of the body where the query has none', async () => {
    const audit = new Trail();
    await withServer(
      [acting({})],
      async (server) => {
        await server.send('POST', '/act/x', { token: 'admin', body: '{"reason":"spam"}' });
      },
      { audit },
    );
    expect(audit.calls).toMatchObject([{ reason: 'spam' }]);
  });

  it('is nothing of callers who may not ask, and of nobody only what succeeded', async () => {
    expect((await told(acting({}), {}, 'user')).told).toEqual([]);
    const open = { access: 'public' as const, audit: true };
    expect((await told(acting(open), {}, null)).calls).toMatchObject([{ actor: 'shared secret' }]);
    const refusal = (): Promise<never> => Promise.reject(userInUse('No.'));
    const trail = await told(acting(open, refusal), {}, null);
    expect(trail.told).toEqual(['begin POST /act/:userId', 'drop note']);
  });

  it('is only what is declared, and what a function says of the parameters', async () => {
    expect((await told(acting({ audit: false }))).told).toEqual([]);
    const ofOthers: Endpoint['audit'] = ({ params }) => (params as { userId: string }).userId !== '@u:x';
    expect((await told(acting({ audit: ofOthers }))).told).toEqual([]);
    expect((await told(acting({ audit: (given) => !ofOthers(given) }))).told).toHaveLength(2);
  });
});
