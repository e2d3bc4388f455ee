import { type Kysely, sql } from 'kysely';

import type { Database } from '@seneschal/database';

import { columnsFit, hashOf, seed, type StoredRow } from './chain.ts';

/** Something that is not as it was written. Positions are from and to, both included. */
export type Finding =
  | { kind: 'missing'; from: number; to: number }
  | { kind: 'changed'; position: number }
  /** The columns by which the row is found say something else than the row. */
  | { kind: 'columns'; position: number }
  /** The hash that was kept elsewhere is not that of its row. */
  | { kind: 'anchor'; position: number };

export interface Verdict {
  /** Rows looked at. */
  rows: number;
  findings: Finding[];
  /** Whether there are more findings than are told. */
  truncated: boolean;
  head: { position: number; hash: string };
}

export interface VerifyOptions {
  /** A position and the hash (base64url) that it had, as kept elsewhere. */
  anchor?: { position: number; hash: string } | undefined;
  /** Rows up to here are not looked at. */
  after?: number;
  pageSize?: number;
}

const mostFindings = 100;

/**
 * Reads the audit log from its beginning, a page at a time, and finds every row that is missing or not as it
 * was written. Whoever can write the tables can also make the whole chain anew; an anchor finds that too.
 */
export async function verifyAuditLog(database: Database, options: VerifyOptions = {}): Promise<Verdict> {
  const db = database.tables<unknown>();
  const head = await readHead(db);
  const { after = 0, pageSize = 1000, anchor } = options;
  const findings: Finding[] = [];
  let rows = 0;
  let last = after === 0 ? { position: 0, hash: seed } : await readRow(db, after);
  for (let page: StoredRow[] = []; ;) {
    page = await readPage(db, last?.position ?? after, head.position, pageSize);
    for (const row of page) {
      findings.push(...check(row, last, after), ...checkAnchor(row, anchor));
      last = row;
      rows += 1;
    }
    findings.splice(mostFindings + 1);
    if (page.length < pageSize) break;
  }
  findings.push(...checkEnd(last, head));
  if (anchor !== undefined && anchor.position > head.position) {
    findings.push({ kind: 'anchor', position: anchor.position });
  }
  return {
    rows,
    findings: findings.slice(0, mostFindings),
    truncated: findings.length > mostFindings,
    head: { position: head.position, hash: head.hash.toString('base64url') },
  };
}

type Link = Pick<StoredRow, 'position' | 'hash'>;

/** Each row is held against the stored hash of the one before, so that one changed row is one finding. */
function check(row: StoredRow, last: Link | undefined, after: number): Finding[] {
  const before = last?.position ?? after;
  if (row.position > before + 1) return [{ kind: 'missing', from: before + 1, to: row.position - 1 }];
  if (last !== undefined && !hashOf(last.hash, row.position, row.entry).equals(row.hash)) {
    return [{ kind: 'changed', position: row.position }];
  }
  return columnsFit(row) ? [] : [{ kind: 'columns', position: row.position }];
}

function checkAnchor(row: StoredRow, anchor: VerifyOptions['anchor']): Finding[] {
  if (anchor?.position !== row.position || row.hash.toString('base64url') === anchor.hash) return [];
  return [{ kind: 'anchor', position: row.position }];
}

/** The head is kept apart, so that rows that were cut off at the end are missed as well. */
function checkEnd(last: Link | undefined, head: Link): Finding[] {
  if (last === undefined || last.position < head.position) {
    return [{ kind: 'missing', from: (last?.position ?? 0) + 1, to: head.position }];
  }
  return last.hash.equals(head.hash) ? [] : [{ kind: 'changed', position: last.position }];
}

async function readHead(db: Kysely<unknown>): Promise<Link> {
  const found = await sql<Link>`SELECT position, hash FROM audit_head`.execute(db);
  return found.rows[0] ?? { position: 0, hash: seed };
}

async function readRow(db: Kysely<unknown>, position: number): Promise<Link | undefined> {
  const found = await sql<Link>`
    SELECT position, hash FROM audit_log WHERE position = ${position}`.execute(db);
  return found.rows[0];
}

async function readPage(db: Kysely<unknown>, from: number, to: number, limit: number): Promise<StoredRow[]> {
  const found = await sql<StoredRow>`
    SELECT position, ts, actor, action, targets, status, entry, hash FROM audit_log
    WHERE position > ${from} AND position <= ${to} ORDER BY position LIMIT ${limit}
  `.execute(db);
  return found.rows;
}
