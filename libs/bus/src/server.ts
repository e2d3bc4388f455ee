import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Kysely, RawBuilder, Transaction } from 'kysely';
import { ZodError } from 'zod';

import type { Command, ComponentName } from '@seneschal/contracts';
import { type Database, databaseAway } from '@seneschal/database';
import { badJson, MatrixError } from '@seneschal/matrix';
import {
  continueTrace,
  type Logger,
  type Metrics,
  type Stoppable,
  type Tracer,
} from '@seneschal/observability';

import { closeWorker } from './close-worker.ts';
import type { CommandJob, CommandReply, PublishedReply } from './messages.ts';
import { dropApart, type PayloadTables, takeApart } from './payloads.ts';
import {
  AlreadyDone,
  recallParts,
  recallReply,
  partStatement,
  rememberReply,
  type ReplyTables,
} from './replies.ts';

/** What a handler knows of its call besides the input. */
export interface CommandContext {
  readonly commandId: string;
  /** Whether an earlier delivery may have done some or all of the work. */
  readonly isRepeated: boolean;
  /** Remembers the reply in the transaction that makes it true, so that no repetition does it again. */
  remember<T>(transaction: Transaction<T>, output: unknown): Promise<void>;
  /**
   * A statement that remembers what one of several transactions did, under a key that a repetition would use
   * again. See `partStatement` for the guard.
   */
  partStatement(part: string, result: unknown, guard: RawBuilder<unknown>): RawBuilder<unknown>;
  /** What earlier deliveries have remembered part by part. */
  parts(): Promise<unknown[]>;
}

export interface Handler {
  readonly command: Command;
  run(input: unknown, context: CommandContext): Promise<unknown>;
}

/** Binds a command to the function that does it. */
export function handle<Input, Output>(
  command: Command<Input, Output>,
  run: (input: Input, context: CommandContext) => Promise<Output>,
): Handler {
  return {
    command: command,
    run: (input, context) => run(command.input.parse(input), context),
  };
}

/** A killed worker's commands are taken over after lockDuration + stalledInterval at the latest. */
const timing = { lockDuration: 5000, stalledInterval: 2000, maxStalledCount: 10 };

export interface CommandServerOptions {
  connection: Redis;
  prefix: string;
  database: Database;
  logger: Logger;
  concurrency: number;
  metrics?: Pick<Metrics, 'command'> | undefined;
  tracer?: Tracer | undefined;
}

/** Runs the commands of one component. Two handlers for one command are a programming error. */
export class CommandServer implements Stoppable {
  readonly #handlers = new Map<string, Handler>();
  readonly #worker: Worker;
  readonly #db: Kysely<ReplyTables>;
  readonly #payloads: Kysely<PayloadTables>;
  readonly #options: CommandServerOptions;
  readonly #running = new Set<Promise<CommandReply>>();

  constructor(component: ComponentName, handlers: readonly Handler[], options: CommandServerOptions) {
    this.#options = options;
    this.#db = options.database.tables<ReplyTables>();
    this.#payloads = options.database.tables<PayloadTables>();
    for (const handler of handlers) {
      const { name, component: owner } = handler.command;
      if (owner !== component || this.#handlers.has(name)) {
        throw new Error(`${component} cannot bind the command ${owner}.${name}.`);
      }
      this.#handlers.set(name, handler);
    }
    this.#worker = new Worker(component, (job) => this.#process(job), {
      connection: options.connection,
      prefix: options.prefix,
      concurrency: options.concurrency,
      ...timing,
    });
    this.#worker.on('error', (error) => options.logger.debug({ error: error.message, component }, 'worker'));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  async stop(): Promise<void> {
    const running = (): Promise<unknown> => Promise.allSettled(this.#running);
    await closeWorker(this.#worker, this.#options.connection, running);
  }

  async #process(job: Job): Promise<CommandReply> {
    const data = job.data as CommandJob;
    const span = this.#options.tracer?.start(`${job.queueName}.${this.#nameOf(job)}`, {
      kind: 'consumer',
      parent: data.traceParent,
      attributes: { 'messaging.system': 'bullmq', 'messaging.destination.name': job.queueName },
    });
    const answering = continueTrace(span, data.traceId, () => this.#observe(job, data));
    this.#running.add(answering);
    const reply = await answering.finally(() => this.#running.delete(answering));
    span?.end(reply.ok ? undefined : { status: reply.status, errcode: reply.body['errcode'] });
    const published: PublishedReply = { jobId: job.id ?? '', reply };
    // Not awaited, so that it leaves together with the end of the job. A lost publication is made up for by
    // the return value, which the caller reads in the end.
    void this.#options.connection.publish(data.replyTo, JSON.stringify(published)).catch(() => 0);
    return reply;
  }

  async #observe(job: Job, data: CommandJob): Promise<CommandReply> {
    const started = performance.now();
    const reply = await this.#answer(job, data);
    const ms = performance.now() - started;
    const outcome = reply.ok ? 'ok' : String(reply.status);
    const command = this.#nameOf(job);
    this.#options.metrics?.command(job.queueName, command, outcome, ms / 1000);
    this.#options.logger.debug({ command, outcome, ms: Math.round(ms) }, 'command');
    return reply;
  }

  /** A name that no handler has may be anything. */
  #nameOf(job: Job): string {
    return this.#handlers.has(job.name) ? job.name : 'unknown';
  }

  async #answer(job: Job, data: CommandJob): Promise<CommandReply> {
    try {
      const handler = this.#handlers.get(job.name);
      if (handler === undefined) {
        throw new MatrixError(500, 'M_UNKNOWN', `Nothing here handles the command ${job.name}.`);
      }
      const isRepeated = data.hasIdempotencyKey || job.attemptsStarted > 1 || job.stalledCounter > 0;
      if (!isRepeated && Date.now() > data.deadline) {
        throw new MatrixError(504, 'M_UNKNOWN', 'The command waited too long and was not begun.');
      }
      const whole =
        data.isApart === true ? { ...data, input: await takeApart(this.#payloads, job.id ?? '') } : data;
      return { ok: true, output: await this.#run(handler, whole, isRepeated) };
    } catch (error) {
      return this.#refusal(job.name, error);
    } finally {
      // Only now: whoever takes the job over from a killed worker needs it, too.
      if (data.isApart === true) await dropApart(this.#payloads, job.id ?? '').catch(() => undefined);
    }
  }

  async #run(handler: Handler, data: CommandJob, isRepeated: boolean): Promise<unknown> {
    if (isRepeated) {
      const done = await recallReply(this.#db, data.commandId);
      if (done !== undefined) return done.reply;
    }
    const context: CommandContext = {
      commandId: data.commandId,
      isRepeated,
      remember: (transaction, output) => rememberReply(transaction, data.commandId, output),
      partStatement: (part, result, guard) => partStatement(data.commandId, part, result, guard),
      parts: async () => (isRepeated ? recallParts(this.#db, data.commandId) : []),
    };
    try {
      return await handler.run(data.input, context);
    } catch (error) {
      if (!(error instanceof AlreadyDone)) throw error;
      return (await recallReply(this.#db, data.commandId))?.reply;
    }
  }

  #refusal(name: string, error: unknown): CommandReply {
    if (error instanceof MatrixError) return { ok: false, status: error.status, body: error.toBody() };
    if (error instanceof ZodError) {
      const refused = badJson(error.issues[0]?.message ?? 'The input has the wrong shape.');
      return { ok: false, status: refused.status, body: refused.toBody() };
    }
    this.#options.logger.error({ command: name, error }, 'a command failed');
    const failure = databaseAway(error) ?? new MatrixError(500, 'M_UNKNOWN', 'Internal server error.');
    return { ok: false, status: failure.status, body: failure.toBody() };
  }
}
