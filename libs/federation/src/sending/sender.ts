import { isMatrixError, type JsonObject } from '@seneschal/matrix';
import type { Logger, Stoppable } from '@seneschal/observability';

import { claimDestinations, releaseDestination, renewClaims } from '../storage/claims.ts';
import { dropEphemeral, removeDelivered } from '../storage/edus.ts';
import { recordDelivered, recordFailure } from '../storage/queue.ts';
import type { FederationDb } from '../storage/tables.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';
import { backOff } from './back-off.ts';
import { apart, type Batch, contentOf, isFull, takeBatch, transactionId } from './batch.ts';

export interface SenderDeps {
  db: FederationDb;
  client: Pick<FederationClient, 'send'>;
  logger: Pick<Logger, 'warn' | 'error'>;
  serverName: string;
  retry: { min: number; max: number };
  /** How often servers whose time has come are looked for, in ms. */
  everyMs?: number;
  /** How long nobody else sends to a server after the last sign of the process that does, in ms. */
  claimMs?: number;
}

/** So long nothing is sent to a server after the process that did was killed. */
const usualClaimMs = 10_000;
const usualEveryMs = 5000;
const timeoutMs = 60_000;
/** Servers that one process sends to at the same time. */
const width = 100;

/**
 * Sends what is queued: to each server in order and one transaction at a time, to all servers side by side, so that one
 * that does not answer delays no other. Everything that has to survive is in the database.
 */
export class Sender implements Stoppable {
  readonly #deps: SenderDeps;
  readonly #timers: NodeJS.Timeout[];
  readonly #everyMs: number;
  readonly #claimMs: number;
  /** By server. */
  readonly #sending = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #claiming: Promise<void> | undefined;
  #again = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#everyMs = deps.everyMs ?? usualEveryMs;
    this.#claimMs = deps.claimMs ?? usualClaimMs;
    this.#timers = [
      setInterval(() => void this.wake(), this.#everyMs),
      setInterval(() => void this.#renew(), this.#claimMs / 4),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Looks for servers to send to, now. */
  wake(): Promise<void> {
    this.#again = true;
    this.#claiming ??= this.#claim().finally(() => {
      this.#claiming = undefined;
    });
    return this.#claiming;
  }

  /** Until everything that can be sent now has been. */
  async settled(): Promise<void> {
    await this.wake();
    while (this.#sending.size > 0) {
      await Promise.all(this.#sending.values());
      await this.wake();
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopping.abort();
    await this.#claiming;
    await Promise.all(this.#sending.values());
  }

  async #claim(): Promise<void> {
    const { db, logger } = this.#deps;
    try {
      while (this.#again && !this.#stopping.signal.aborted && this.#sending.size < width) {
        this.#again = false;
        const now = Date.now();
        const limit = width - this.#sending.size;
        for (const serverName of await claimDestinations(db, { now, until: now + this.#claimMs, limit })) {
          this.#start(serverName);
        }
      }
    } catch (error) {
      logger.warn({ error }, 'servers to send to could not be looked for');
    }
  }

  /** Keeps the servers that are being sent to, however long they take to answer. */
  async #renew(): Promise<void> {
    const { db, logger } = this.#deps;
    try {
      const now = Date.now();
      const names = [...this.#sending.keys()];
      if (names.length > 0) await renewClaims(db, names, { now, until: now + this.#claimMs });
    } catch (error) {
      logger.warn({ error }, 'servers that are being sent to could not be kept');
    }
  }

  #start(serverName: string): void {
    const sending = this.#sendAll(serverName)
      .catch((error: unknown) => this.#deps.logger.error({ error, serverName }, 'sending failed'))
      .finally(() => {
        this.#sending.delete(serverName);
        if (this.#again) void this.wake();
      });
    this.#sending.set(serverName, sending);
  }

  async #sendAll(serverName: string): Promise<void> {
    const { db } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      const batch = await takeBatch(db, serverName);
      if (batch === undefined) break;
      if (!(await this.#deliver(serverName, batch))) return;
      // What has come meanwhile is found when the server is given up.
      if (!isFull(batch)) break;
    }
    if (await releaseDestination(db, serverName)) this.#again = true;
  }

  /** False when the server is to be left alone. */
  async #deliver(serverName: string, batch: Batch): Promise<boolean> {
    const { db } = this.#deps;
    try {
      await this.#put(serverName, batch);
    } catch (error) {
      if (this.#stopping.signal.aborted) {
        await releaseDestination(db, serverName);
        return false;
      }
      if (isRefused(error) && batch.edus.length > 0) return this.#deliverApart(serverName, batch);
      return this.#fail(serverName, error);
    }
    const now = Date.now();
    const positions = batch.pdus.map(({ position }) => position);
    const eduIds = batch.edus.map(({ eduId }) => eduId);
    await removeDelivered(db, serverName, eduIds);
    await recordDelivered(db, serverName, positions, { now, until: now + this.#claimMs });
    return true;
  }

  async #fail(serverName: string, error: unknown): Promise<false> {
    const { db, retry } = this.#deps;
    let pause = Infinity;
    const waitMs = (failures: number): number => (pause = backOff(failures, retry));
    await recordFailure(db, serverName, { error: reasonOf(error), now: Date.now(), waitMs });
    await dropEphemeral(db, serverName);
    // Longer waits end with the next look.
    if (pause < this.#everyMs) setTimeout(() => void this.wake(), pause).unref();
    return false;
  }

  /** One EDU that a server refuses stands in the way of no other: it is found out, and dropped. */
  async #deliverApart(serverName: string, batch: Batch): Promise<boolean> {
    const parts = apart(batch);
    if (parts.length === 0) return this.#dropRefused(serverName, batch);
    for (const part of parts) if (!(await this.#deliver(serverName, part))) return false;
    return true;
  }

  /** Unless the server refuses everything, even a transaction of nothing. */
  async #dropRefused(serverName: string, batch: Batch): Promise<boolean> {
    const { db, logger } = this.#deps;
    try {
      await this.#put(serverName, { pdus: [], edus: [], ephemeral: [] }, `nothing${Date.now()}`);
    } catch (error) {
      return this.#fail(serverName, error);
    }
    const eduIds = batch.edus.map(({ eduId }) => eduId);
    logger.warn({ serverName, eduIds }, 'a server refused an EDU, which is dropped');
    await removeDelivered(db, serverName, eduIds);
    return true;
  }

  async #put(serverName: string, batch: Batch, id = transactionId(batch)): Promise<void> {
    const { client, serverName: origin } = this.#deps;
    const content: JsonObject = { origin, origin_server_ts: Date.now(), ...contentOf(batch) };
    await client.send({
      destination: serverName,
      method: 'PUT',
      uri: `/_matrix/federation/v1/send/${id}`,
      content,
      timeoutMs,
      signal: this.#stopping.signal,
    });
  }
}

/** Whether it is the content that the server does not take. */
function isRefused(error: unknown): boolean {
  return isMatrixError(error) && (error.status === 400 || error.status === 413);
}

function reasonOf(error: unknown): string {
  if (error instanceof Unreachable) return error.message;
  if (isMatrixError(error)) return `It answered ${error.status} ${error.errcode.slice(0, 64)}.`;
  return error instanceof Error ? error.message : 'It could not be reached.';
}
