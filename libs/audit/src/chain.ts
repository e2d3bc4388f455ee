import { createHash } from 'node:crypto';

import type { AuditEntry } from '@seneschal/contracts';

/** The columns by which rows are found; all of them follow from the entry. */
export interface Columns {
  ts: number;
  actor: string;
  action: string;
  targets: string[];
  status: number | null;
}

export interface StoredRow extends Columns {
  position: number;
  /** The text that was hashed. */
  entry: string;
  hash: Buffer;
}

/** The hash of what comes before the first row. */
export const seed = createHash('sha256').update('seneschal audit log').digest();

/** SHA-256 over the hash of the row before, the position and the text of the entry. */
export function hashOf(before: Buffer, position: number, entry: string): Buffer {
  return createHash('sha256').update(before).update(`${position}\n`).update(entry).digest();
}

export function columnsOf({ ts, actor, action, targets, status }: AuditEntry): Columns {
  return { ts, actor, action, targets, status };
}

/** Whether the columns say the same as the entry that was hashed. */
export function columnsFit(row: StoredRow): boolean {
  try {
    const told = columnsOf(JSON.parse(row.entry) as AuditEntry);
    const { ts, actor, action, targets, status } = row;
    return JSON.stringify(told) === JSON.stringify({ ts, actor, action, targets, status });
  } catch {
    return false;
  }
}
