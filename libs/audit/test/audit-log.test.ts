import { AuditLog, auditMigrations, auditReads, exportRows, verifyAuditLog } from '@seneschal/audit';
import type { AuditedCall, AuditedResult, AuditRow } from '@seneschal/contracts';
import { createLogger } from '@seneschal/observability';
import { rowsOf, type TestDatabase, withDatabase } from '@seneschal/testing';
import { sql } from 'kysely';

const call = (over: Partial<AuditedCall> = {}): AuditedCall => ({
  ts: 1_700_000_000_000,
  actor: '@admin:test.example',
  device_id: 'A',
  admin_token: null,
  token_digest: 'abc',
  ip: '127.0.0.1',
  user_agent: 'test',
  action: 'POST /x/:roomId',
  targets: ['!r:test.example'],
  query: {},
  arguments: { n: 1 },
  reason: null,
  trace_id: 't',
  ...over,
});
const done: AuditedResult = { status: 200, errcode: null, job_id: null, duration_ms: 3 };

describe('the audit log', () => {
  let store: TestDatabase;
  let log: AuditLog;
  beforeEach(async () => {
    store = await withDatabase({ audit: auditMigrations });
    log = new AuditLog(store.tables(), createLogger('silent'));
  });
  afterEach(async () => {
    await log.stop();
    await store.stop();
  });

  const write = async (count: number, over: Partial<AuditedCall> = {}): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => log.end(undefined, call(over), done)));
  };
  const findings = async (anchor?: { position: number; hash: string }): Promise<unknown> =>
    (await verifyAuditLog(store.database, { anchor, pageSize: 7 })).findings;
  /** As one would who may do anything in the database. */
  const tamper = async (statement: string): Promise<void> => {
    const db = store.tables();
    await sql`ALTER TABLE audit_log DISABLE TRIGGER audit_log_keep`.execute(db);
    await sql.raw(statement).execute(db);
    await sql`ALTER TABLE audit_log ENABLE TRIGGER audit_log_keep`.execute(db);
  };

  it('chains what many write at once, in several processes too, without a gap', async () => {
    const other = new AuditLog(store.tables(), createLogger('silent'));
    await Promise.all([
      ...Array.from({ length: 100 }, () => log.end(undefined, call(), done)),
      ...Array.from({ length: 100 }, () => other.end(undefined, call({ actor: '@b:test.example' }), done)),
    ]);
    await other.stop();
    const verdict = await verifyAuditLog(store.database, { pageSize: 33 });
    expect(verdict).toMatchObject({ rows: 200, findings: [], head: { position: 200 } });
    expect(await auditReads(store.database).head()).toEqual(verdict.head);
  });

  it('is right when it is empty', async () => {
    expect(await verifyAuditLog(store.database)).toMatchObject({ rows: 0, findings: [] });
  });

  it.each(["UPDATE audit_log SET actor = 'x'", 'DELETE FROM audit_log', 'TRUNCATE audit_log'])(
    'refuses %s',
    async (statement) => {
      await write(2);
      await expect(sql.raw(statement).execute(store.tables())).rejects.toThrow(/only ever added to/);
      expect(await findings()).toEqual([]);
    },
  );

  it('tells of a changed row, a changed column, a missing row and a missing end', async () => {
    await write(30);
    await tamper(`UPDATE audit_log SET entry = replace(entry, '200', '403') WHERE position = 5`);
    await tamper(`UPDATE audit_log SET actor = '@other:test.example' WHERE position = 9`);
    await tamper('DELETE FROM audit_log WHERE position IN (13, 14, 29, 30)');
    expect(await findings()).toEqual([
      { kind: 'changed', position: 5 },
      { kind: 'columns', position: 9 },
      { kind: 'missing', from: 13, to: 14 },
      { kind: 'missing', from: 29, to: 30 },
    ]);
  });

  it('tells that everything is gone', async () => {
    await write(3);
    await tamper('TRUNCATE audit_log');
    expect(await findings()).toEqual([{ kind: 'missing', from: 1, to: 3 }]);
  });

  it('tells of a row whose hash was made anew, by the row after it', async () => {
    await write(3);
    await tamper(`
      UPDATE audit_log SET entry = replace(entry, '200', '403'), status = 403,
        hash = sha256((SELECT hash FROM audit_log WHERE position = 1)
          || convert_to('2' || chr(10) || replace(entry, '200', '403'), 'UTF8')) WHERE position = 2`);
    expect(await findings()).toEqual([{ kind: 'changed', position: 3 }]);
  });

  it('tells by an anchor that the whole chain is another', async () => {
    await write(3);
    const anchor = await auditReads(store.database).head();
    expect(await findings(anchor)).toEqual([]);
    await tamper('TRUNCATE audit_log');
    await sql`UPDATE audit_head SET position = 0, hash = sha256('seneschal audit log')`.execute(
      store.tables(),
    );
    await write(4, { actor: '@liar:test.example' });
    expect(await findings()).toEqual([]);
    expect(await findings(anchor)).toEqual([{ kind: 'anchor', position: 3 }]);
    expect(await findings({ ...anchor, position: 9 })).toEqual([{ kind: 'anchor', position: 9 }]);
  });

  it('stops at a number of findings, and says that there are more', async () => {
    await write(150);
    await tamper(`UPDATE audit_log SET entry = '{}'`);
    const verdict = await verifyAuditLog(store.database);
    expect([verdict.findings.length, verdict.truncated, verdict.rows]).toEqual([100, true, 150]);
  });

  it('looks at the newest rows alone when told where to begin', async () => {
    await write(30);
    await tamper(`UPDATE audit_log SET entry = '{}' WHERE position = 5`);
    const verdict = await verifyAuditLog(store.database, { after: 20 });
    expect(verdict).toMatchObject({ rows: 10, findings: [] });
  });

  it('keeps a note of what has begun, in whose place the row comes', async () => {
    const note = await log.begin(call());
    expect(await rowsOf(store.tables(), 'SELECT 1 FROM audit_pending')).toHaveLength(1);
    await log.end(note, call(), done);
    expect(await rowsOf(store.tables(), 'SELECT 1 FROM audit_pending')).toEqual([]);
    await log.drop(await log.begin(call()));
    expect(await rowsOf(store.tables(), 'SELECT 1 FROM audit_pending')).toEqual([]);
  });

  it('makes a row without an outcome of a note whose process died, once', async () => {
    await log.begin(call({ targets: ['!lost:test.example'] }));
    expect(await log.adopt(60_000)).toBe(0);
    const other = new AuditLog(store.tables(), createLogger('silent'));
    const adopted = await Promise.all([log.adopt(-1), other.adopt(-1)]);
    await other.stop();
    expect(adopted.sort()).toEqual([0, 1]);
    const [row] = await auditReads(store.database).page({}, { from: undefined, limit: 5, newestFirst: true });
    expect(row?.entry).toMatchObject({ targets: ['!lost:test.example'], status: null, duration_ms: null });
    expect(await findings()).toEqual([]);
  });

  it('finds rows by what they say, in both directions and page by page', async () => {
    await write(3, { actor: '@a:test.example', ts: 10 });
    await write(3, { actor: '@b:test.example', ts: 20, targets: ['@x:test.example', '!r:test.example'] });
    const reads = auditReads(store.database);
    const positions = async (
      filter: Parameters<typeof reads.page>[0],
      page: Partial<Parameters<typeof reads.page>[1]> = {},
    ): Promise<number[]> => {
      const rows = await reads.page(filter, { from: undefined, limit: 10, newestFirst: true, ...page });
      return rows.map(({ position }) => position);
    };
    expect(await positions({})).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await positions({}, { from: 5, limit: 2 })).toEqual([4, 3]);
    expect(await positions({}, { from: 2, limit: 2, newestFirst: false })).toEqual([3, 4]);
    expect(await positions({ actor: '@a:test.example' })).toEqual([3, 2, 1]);
    expect(await positions({ target: '@x:test.example' }, { limit: 2 })).toEqual([6, 5]);
    expect(await positions({ since: 20, until: 21, status: 200, action: 'POST /x/:roomId' })).toEqual([
      6, 5, 4,
    ]);
    expect(await positions({ status: 403 })).toEqual([]);
    const all: AuditRow[] = [];
    for await (const row of exportRows(reads, { actor: '@b:test.example' }, 2)) all.push(row);
    expect(all.map(({ position }) => position)).toEqual([4, 5, 6]);
  });
});
