import { randomUUID } from 'node:crypto';

import type { Kysely } from 'kysely';

import type { AuditedCall, AuditedResult, AuditEntry, AuditTrail } from '@seneschal/contracts';
import { type Database, migrate, transact } from '@seneschal/database';
import type { Logger, Stoppable } from '@seneschal/observability';

import { auditMigrations } from './migrations.ts';
import { append, deleteNote, insertNote, lockNotes } from './storage.ts';

interface Waiting {
  entry: AuditEntry;
  noteId: string | undefined;
  resolve: () => void;
  reject: (error: unknown) => void;
}

const batchSize = 500;
const sweepMs = 60_000;
/** Longer than any admin call takes: whoever made a note before that is dead. */
const oldestNoteMs = 15 * 60_000;

/**
 * Writes admin calls to a chain of rows. The chain has one writer at a time; what comes while this process
 * waits for its turn is written in one transaction, so a crowd of calls costs few turns.
 */
export class AuditLog implements AuditTrail, Stoppable {
  readonly #db: Kysely<unknown>;
  readonly #logger: Pick<Logger, 'warn' | 'error'>;
  readonly #timer: NodeJS.Timeout;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(db: Kysely<unknown>, logger: Pick<Logger, 'warn' | 'error'>) {
    this.#db = db;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  async begin(call: AuditedCall): Promise<string> {
    const id = randomUUID();
    await insertNote(this.#db, { id, ts: Date.now(), entry: JSON.stringify(call) });
    return id;
  }

  async end(noteId: string | undefined, call: AuditedCall, result: AuditedResult): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      this.#queue.push({ entry: { ...call, ...result }, noteId, resolve, reject });
    });
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return written;
  }

  async drop(noteId: string): Promise<void> {
    await deleteNote(this.#db, noteId);
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, batchSize);
      try {
        await transact(this.#db, (transaction) =>
          append(
            transaction,
            batch.map(({ entry }) => entry),
            batch.flatMap(({ noteId }) => noteId ?? []),
          ),
        );
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  /**
   * Writes calls to the log whose process died before they had an answer: without a status, as nobody knows
   * what came of them. Answers how many.
   */
  async adopt(olderThanMs: number): Promise<number> {
    return transact(this.#db, async (transaction) => {
      const notes = await lockNotes(transaction, Date.now() - olderThanMs, batchSize);
      if (notes.length === 0) return 0;
      const nothingKnown = { status: null, errcode: null, job_id: null, duration_ms: null };
      await append(
        transaction,
        notes.map(({ entry }) => ({ ...(JSON.parse(entry) as AuditedCall), ...nothingKnown })),
        notes.map(({ id }) => id),
      );
      return notes.length;
    });
  }

  async #sweep(): Promise<void> {
    try {
      const adopted = await this.adopt(oldestNoteMs);
      if (adopted > 0) this.#logger.warn({ adopted }, 'admin calls have no known outcome');
    } catch (error) {
      this.#logger.error({ error }, 'the notes of admin calls could not be looked through');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }
}

/** Brings the tables up to date and opens the log. */
export async function openAuditLog(database: Database, logger: Logger): Promise<AuditLog> {
  await migrate(database, 'audit', auditMigrations);
  return new AuditLog(database.tables(), logger);
}
