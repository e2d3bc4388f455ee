import { createHash, randomUUID } from 'node:crypto';

import { Queue } from 'bullmq';
import type { Kysely } from 'kysely';

import type { Command } from '@seneschal/contracts';
import { MatrixError } from '@seneschal/matrix';
import {
  activeSpan,
  currentTraceId,
  inSpan,
  startSpan,
  type Stoppable,
  type Tracer,
} from '@seneschal/observability';

import type { Bus } from './bus.ts';
import type { CommandJob, CommandReply, PublishedReply } from './messages.ts';
import { dropApart, type PayloadTables, putApart } from './payloads.ts';
import type { Subscription } from './subscription.ts';

interface Waiting {
  queue: Queue;
  resolve: (reply: CommandReply) => void;
  reject: (error: unknown) => void;
}

export interface CallOptions {
  /** Calls with the same key are one command: all answer what the first did. */
  idempotencyKey?: string;
  timeoutMs?: number;
}

/** A payload above this is refused, unless the command says that its input may be large: Redis keeps jobs in memory. */
const maximumPayloadBytes = 8 * 1024 * 1024;

/** Sends commands and waits for their replies, which come back over one pub/sub channel per process. */
export class Caller implements Stoppable {
  readonly #channel: string;
  readonly #queues = new Map<string, Queue>();
  readonly #waiting = new Map<string, Waiting>();

  readonly #bus: Pick<Bus, 'redis' | 'prefix'>;
  readonly #db: Kysely<PayloadTables>;
  readonly #tracer: Tracer | undefined;
  readonly #replies: Subscription;

  constructor(
    bus: Pick<Bus, 'redis' | 'prefix' | 'subscribe'>,
    db: Kysely<PayloadTables>,
    tracer: Tracer | undefined,
  ) {
    this.#bus = bus;
    this.#db = db;
    this.#tracer = tracer;
    this.#channel = `${bus.prefix}:reply:${randomUUID()}`;
    this.#replies = bus.subscribe(this.#channel, {
      hear: (message) => this.#receive(message),
      // Replies that were published while the connection was down are read from the jobs themselves.
      heard: () => void this.#recheck(),
    });
  }

  /**
   * Calls a command. Rejects with the command's own MatrixError, with 503 when the queue cannot be reached
   * (nothing happened) and with 504 when no reply came in time (the outcome is unknown; calling again is safe).
   */
  call<Input, Output>(
    command: Command<Input, Output>,
    input: Input,
    options: CallOptions = {},
  ): Promise<Output> {
    const { component, name } = command;
    const attributes = { 'messaging.system': 'bullmq', 'messaging.destination.name': component };
    const span = startSpan(this.#tracer, `call ${component}.${name}`, { kind: 'client', attributes });
    return inSpan(span, () => this.#call(command, input, options));
  }

  async #call<Input, Output>(
    command: Command<Input, Output>,
    input: Input,
    options: CallOptions,
  ): Promise<Output> {
    const timeoutMs = options.timeoutMs ?? command.timeoutMs;
    const queue = this.queueOf(command.component);
    const jobId = randomUUID();
    const traceParent = activeSpan()?.traceParent;
    const parsed = command.input.parse(input);
    const isApart = command.isLarge && (await putApart(this.#db, jobId, parsed));
    const job: CommandJob = {
      commandId: options.idempotencyKey === undefined ? jobId : digest(command, options.idempotencyKey),
      hasIdempotencyKey: options.idempotencyKey !== undefined,
      traceId: currentTraceId(),
      ...(traceParent === undefined ? {} : { traceParent }),
      deadline: Date.now() + timeoutMs,
      replyTo: this.#channel,
      ...(isApart ? { input: null, isApart } : { input: parsed }),
    };
    const reply = await this.#exchange(queue, command.name, jobId, job, timeoutMs);
    if (!reply.ok) throw MatrixError.fromBody(reply.status, reply.body);
    return command.output.parse(reply.output);
  }

  async #exchange(
    queue: Queue,
    name: string,
    jobId: string,
    job: CommandJob,
    timeoutMs: number,
  ): Promise<CommandReply> {
    const reply = new Promise<CommandReply>((resolve, reject) => {
      this.#waiting.set(jobId, { queue, resolve, reject });
    });
    const timer = setTimeout(() => void this.#expire(jobId), timeoutMs);
    // The reply may be rejected (by a stop) before it is awaited.
    reply.catch(() => undefined);
    try {
      await Promise.race([this.#replies.ready, reply]);
      await queue.add(name, job, { jobId, sizeLimit: maximumPayloadBytes });
    } catch (error) {
      clearTimeout(timer);
      this.#waiting.delete(jobId);
      if (job.isApart === true) await dropApart(this.#db, jobId);
      throw unreachable(error);
    }
    try {
      return await reply;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(jobId);
    }
  }

  #receive(message: string): void {
    const { jobId, reply } = JSON.parse(message) as PublishedReply;
    this.#waiting.get(jobId)?.resolve(reply);
  }

  async #expire(jobId: string): Promise<void> {
    if (!(await this.#lookUp(jobId).catch(() => false))) {
      this.#waiting
        .get(jobId)
        ?.reject(
          new MatrixError(
            504,
            'M_UNKNOWN',
            'No answer came in time; the outcome is unknown. Asking again is safe.',
          ),
        );
    }
  }

  async #recheck(): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map((jobId) => this.#lookUp(jobId).catch(() => false)));
  }

  /** Reads the reply that a finished job keeps; false when there is none. */
  async #lookUp(jobId: string): Promise<boolean> {
    const waiting = this.#waiting.get(jobId);
    const job = await waiting?.queue.getJob(jobId);
    if (waiting === undefined || !isReply(job?.returnvalue)) return false;
    waiting.resolve(job.returnvalue);
    return true;
  }

  /** The queue of a component. */
  queueOf(component: string): Queue {
    const known = this.#queues.get(component);
    if (known !== undefined) return known;
    const queue = new Queue(component, {
      connection: this.#bus.redis,
      prefix: this.#bus.prefix,
      defaultJobOptions: {
        // A finished job keeps its reply for a caller that missed the published one.
        removeOnComplete: { age: 600, count: 2000 },
        removeOnFail: { age: 86_400, count: 2000 },
      },
    });
    queue.on('error', () => undefined);
    this.#queues.set(component, queue);
    return queue;
  }

  async stop(): Promise<void> {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new MatrixError(503, 'M_UNKNOWN', 'The server is stopping; the outcome is unknown.'));
    }
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    await this.#replies.stop();
  }
}

function isReply(value: unknown): value is CommandReply {
  return typeof value === 'object' && value !== null && 'ok' in value;
}

function digest(command: Command<never> | Command, key: string): string {
  return createHash('sha256').update(`${command.component}\0${command.name}\0${key}`).digest('hex');
}

function unreachable(error: unknown): unknown {
  if (error instanceof MatrixError) return error;
  return new MatrixError(503, 'M_UNKNOWN', 'The queue cannot be reached. Try again in a moment.');
}
