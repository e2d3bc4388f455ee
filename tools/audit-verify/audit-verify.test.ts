import { AuditLog, auditMigrations } from '@seneschal/audit';
import { createLogger } from '@seneschal/observability';
import { type TestDatabase, testServices, withDatabase } from '@seneschal/testing';
import { sql } from 'kysely';

import { main } from './main.ts';

const call = {
  ts: 1,
  actor: '@admin:test.example',
  device_id: 'A',
  admin_token: null,
  token_digest: 'abc',
  ip: '127.0.0.1',
  user_agent: 'test',
  action: 'POST /x',
  targets: [],
  query: {},
  arguments: null,
  reason: null,
  trace_id: 't',
};

describe('npm run audit:verify', () => {
  let store: TestDatabase;
  beforeEach(async () => {
    store = await withDatabase({ audit: auditMigrations });
    const log = new AuditLog(store.tables(), createLogger('silent'));
    const result = { status: 200, errcode: null, job_id: null, duration_ms: 1 };
    for (let count = 0; count < 3; count += 1) await log.end(undefined, call, result);
    await log.stop();
  });
  afterEach(() => store.stop());

  const run = async (...args: string[]): Promise<[code: number, printed: string]> => {
    let printed = '';
    const env = { SENESCHAL_DATABASE_URL: store.url, SENESCHAL_REDIS_URL: testServices().redisUrl };
    const print = (text: string): void => void (printed += text);
    return [await main({ args, env, print, complain: print }), printed];
  };

  it('says that all is well, and what to keep', async () => {
    const [code, printed] = await run();
    expect([code, printed]).toEqual([0, expect.stringMatching(/^3 rows, all as .*\n3:[\w-]{43}\n$/)]);
    expect(await run('--anchor', printed.trim().split('\n')[1]!)).toEqual([0, printed]);
  });

  it('names a row that was taken out, and one that was changed', async () => {
    await sql`ALTER TABLE audit_log DISABLE TRIGGER audit_log_keep`.execute(store.tables());
    await sql`DELETE FROM audit_log WHERE position = 1`.execute(store.tables());
    await sql`UPDATE audit_log SET entry = '{}' WHERE position = 3`.execute(store.tables());
    const [code, printed] = await run();
    expect(code).toBe(1);
    expect(printed).toMatch(/Row 1 is missing\.\nRow 3, .* changed\./);
  });

  it('names an anchor that does not fit, and refuses one that is none', async () => {
    expect(await run('--anchor', `3:${'A'.repeat(43)}`)).toEqual([
      1,
      expect.stringContaining('not the one that the anchor'),
    ]);
    expect(await run('--anchor', 'x')).toEqual([1, expect.stringContaining('--anchor is POSITION:HASH')]);
  });

  it('explains itself', async () => {
    expect(await run('--help')).toEqual([0, expect.stringContaining('npm run audit:verify')]);
  });
});
