import type { Kysely, RawBuilder, Transaction } from 'kysely';

import type { WakeBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { lockLog, transact } from '@seneschal/database';
import { forbidden, type MatrixError, roomVersion, type Signer } from '@seneschal/matrix';

import {
  readRoom,
  type RoomReadResults,
  type RoomRow,
  transactionKeyOf,
  type TransactionKey,
} from '../storage/room-reads.ts';
import { readEvents, readState } from '../storage/rooms.ts';
import { type SentTransaction, storeDraft } from '../storage/store-draft.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { RoomDraft } from './room-draft.ts';
import { StateCache } from './state-cache.ts';

/** What an operation works on. It may be done again from the start when the room was written to meanwhile. */
export interface RoomWork {
  readonly draft: RoomDraft;
  readonly reads: RoomReadResults;
  /** For further reads. */
  readonly db: Kysely<RoomserverTables>;
  /** Remembers that a client's transaction made an event; stored with the draft. */
  sent(transaction: SentTransaction): void;
}

/**
 * Something done to a room. `apply` appends at most one event, as its last act, unless the operation is
 * alone: then it may append many, and when it fails nothing is stored.
 */
export interface RoomOperation<T> {
  /** Users whose memberships are looked at. */
  readonly users: readonly string[];
  readonly eventIds?: readonly string[];
  readonly transactions?: readonly TransactionKey[];
  readonly isAlone?: boolean;
  /** What the operation throws when there is no such room; M_FORBIDDEN when absent. */
  readonly unknownRoom?: MatrixError;
  /** Does not store what `apply` drafts. */
  readonly isRehearsal?: boolean;
  /** Part of the room's deletion: it may still write to the room. */
  readonly isDeletion?: boolean;
  apply(work: RoomWork): Promise<T> | T;
  /** For operations that are alone: a statement that takes effect with the draft, guarded by `ifStored`. */
  also?(result: T): RawBuilder<unknown> | undefined;
}

interface Pending {
  operation: RoomOperation<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { ok: true; result: unknown } | { ok: false; error: unknown };

interface Written {
  outcomes: Outcome[];
  /** Position of the last event; undefined when nothing was stored. */
  position?: number;
}

const maximumBatch = 64;

/** After so many meetings with other writers the log's lock is taken before the room is read. */
const optimisticAttempts = 3;

/**
 * Writes to rooms. A room is read, the events are made in memory, and one statement stores them if nobody has
 * written to the room meanwhile; else it is done again. Operations that arrive for one room while its last
 * write is under way go into the next one together, so a busy room costs one commit for many events.
 */
export class RoomWriter {
  readonly #db: Kysely<RoomserverTables>;
  readonly #signer: Signer;
  readonly #bus: WakeBus;
  readonly #cache = new StateCache();
  readonly #queues = new Map<string, Pending[]>();

  constructor(db: Kysely<RoomserverTables>, signer: Signer, bus: WakeBus) {
    this.#db = db;
    this.#signer = signer;
    this.#bus = bus;
  }

  /** Runs an operation; resolves after the commit. */
  run<T>(roomId: string, operation: RoomOperation<T>): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      const pending: Pending = { operation: operation, resolve, reject };
      const queue = this.#queues.get(roomId);
      if (queue !== undefined) {
        queue.push(pending);
        return;
      }
      const started = [pending];
      this.#queues.set(roomId, started);
      void this.#drain(roomId, started);
    }) as Promise<T>;
  }

  /**
   * Runs an operation in a transaction that holds the lock of the log already, so that nobody else can write meanwhile.
   * The caller wakes the consumers after the commit; `position` is undefined when nothing was stored.
   */
  async runWithin<T>(
    transaction: Transaction<RoomserverTables>,
    roomId: string,
    operation: RoomOperation<T>,
  ): Promise<{ result: T; position: number | undefined }> {
    const written = await this.#write(transaction, roomId, [operation]);
    if (written === undefined) throw new Error('A room changed under the lock of the log.');
    const [outcome] = written.outcomes;
    if (outcome?.ok !== true) throw outcome?.error;
    return { result: outcome.result as T, position: written.position };
  }

  /** Drops what is remembered of a room that is gone. */
  forget(roomNid: number): void {
    this.#cache.delete(roomNid);
  }

  /** Drops what is remembered of all rooms; each is read anew when it is written to. */
  forgetAll(): void {
    this.#cache.clear();
  }

  async #drain(roomId: string, queue: Pending[]): Promise<void> {
    for (let batch = takeBatch(queue); batch.length > 0; batch = takeBatch(queue)) {
      await this.#runBatch(roomId, batch);
    }
    this.#queues.delete(roomId);
  }

  async #runBatch(roomId: string, batch: readonly Pending[]): Promise<void> {
    const operations = batch.map((pending) => pending.operation);
    try {
      const { outcomes, position } = await this.#writeUntilStored(roomId, operations);
      if (position !== undefined) this.#bus.wake(roomserver.roomserverOutput, position);
      batch.forEach((pending, index) => settle(pending, outcomes[index]));
    } catch (error) {
      for (const pending of batch) pending.reject(error);
    }
  }

  async #writeUntilStored(roomId: string, operations: readonly RoomOperation<unknown>[]): Promise<Written> {
    for (let attempt = 1; attempt <= optimisticAttempts; attempt += 1) {
      const written = await this.#write(this.#db, roomId, operations);
      if (written !== undefined) return written;
    }
    // Whoever holds the log's lock is the only writer of the server: this cannot meet another.
    return transact(this.#db, async (transaction: Transaction<RoomserverTables>) => {
      await lockLog(transaction, 'roomserver_output');
      const written = await this.#write(transaction, roomId, operations);
      if (written === undefined) throw new Error('A room changed under the lock of the log.');
      return written;
    });
  }

  /** Undefined when another writer was faster. */
  async #write(
    db: Kysely<RoomserverTables>,
    roomId: string,
    operations: readonly RoomOperation<unknown>[],
  ): Promise<Written | undefined> {
    const reads = await readRoom(db, {
      roomId,
      users: unique(operations.flatMap((operation) => operation.users)),
      eventIds: unique(operations.flatMap((operation) => operation.eventIds ?? [])),
      transactions: operations.flatMap((operation) => operation.transactions ?? []),
    });
    if (reads.room === undefined) return { outcomes: operations.map(refusalOfUnknownRoom) };
    if (reads.room.is_closed && !operations.every((operation) => operation.isDeletion === true)) {
      return { outcomes: operations.map(refusalOfClosedRoom) };
    }
    const draft = await this.#open(db, reads.room, reads, operations);
    const sent: SentTransaction[] = [];
    const work: RoomWork = { draft, reads, db, sent: (one) => rememberSent(one, sent, reads) };
    const outcomes: Outcome[] = [];
    for (const operation of operations) outcomes.push(await outcomeOf(operation, work));
    const isRehearsal = operations.some((operation) => operation.isRehearsal === true);
    if (draft.isEmpty || isRehearsal) return { outcomes };
    const also = alsoOf(operations, outcomes);
    const position = await storeDraft(db, { draft, sent, serverName: this.#signer.serverName, also });
    if (position === undefined) return undefined;
    // A redaction rewrote events that the draft still holds in full.
    if (draft.isStateChanged && draft.redactions.length === 0) {
      this.#cache.set(draft.room.roomNid, position, draft.state);
    }
    return { outcomes, position };
  }

  async #open(
    db: Kysely<RoomserverTables>,
    room: RoomRow,
    reads: RoomReadResults,
    operations: readonly RoomOperation<unknown>[],
  ): Promise<RoomDraft> {
    let state = this.#cache.get(room.room_nid, room.state_position);
    if (state === undefined) {
      state = await readState(db, room.room_nid);
      this.#cache.set(room.room_nid, room.state_position, state);
    }
    const version = roomVersion(room.room_version);
    const snapshot = {
      roomNid: room.room_nid,
      roomId: room.room_id,
      version,
      forwardExtremities: room.forward_extremities,
      ...(version.eventReferences === 'pairs'
        ? { extremityEvents: await readEvents(db, room.room_nid, room.forward_extremities) }
        : {}),
      depth: room.depth,
      lastPosition: room.last_position,
      isBlocked: room.is_blocked,
      isClosed: room.is_closed,
      state,
    };
    const draft = new RoomDraft(snapshot, this.#signer);
    for (const operation of operations) {
      for (const userId of operation.users) draft.setMember(userId, reads.members.get(userId));
    }
    return draft;
  }
}

function refusalOfUnknownRoom(operation: RoomOperation<unknown>): Outcome {
  const error = operation.unknownRoom ?? forbidden('You are not in that room, or it does not exist.');
  return { ok: false, error };
}

function refusalOfClosedRoom(): Outcome {
  return { ok: false, error: forbidden('An administrator is deleting or restoring this room.') };
}

/** The same transaction may come twice in one batch. */
function rememberSent(one: SentTransaction, sent: SentTransaction[], reads: RoomReadResults): void {
  sent.push(one);
  reads.transactions.set(transactionKeyOf(one), one.eventId);
}

function alsoOf(
  operations: readonly RoomOperation<unknown>[],
  outcomes: readonly Outcome[],
): RawBuilder<unknown> | undefined {
  const outcome = outcomes[0];
  return outcome?.ok === true ? operations[0]?.also?.(outcome.result) : undefined;
}

function takeBatch(queue: Pending[]): Pending[] {
  const alone = queue.findIndex((pending) => pending.operation.isAlone === true);
  if (alone === 0) return queue.splice(0, 1);
  return queue.splice(0, Math.min(alone < 0 ? queue.length : alone, maximumBatch));
}

/** An operation alone may have drafted several events before it failed: then nothing is stored. */
async function outcomeOf(operation: RoomOperation<unknown>, work: RoomWork): Promise<Outcome> {
  try {
    return { ok: true, result: await operation.apply(work) };
  } catch (error) {
    if (operation.isAlone === true) throw error;
    return { ok: false, error };
  }
}

function settle(pending: Pending, outcome: Outcome | undefined): void {
  if (outcome?.ok === true) pending.resolve(outcome.result);
  else pending.reject(outcome?.error);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
