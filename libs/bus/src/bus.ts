import type { Redis } from 'ioredis';

import { type Command, type ComponentName, componentNames, type EventLog } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import { Lifecycle, type Logger, type Metrics, type Stoppable, type Tracer } from '@seneschal/observability';

import { type Backlog, backlogOf } from './backlog.ts';
import { Caller, type CallOptions } from './caller.ts';
import { type Consumer, LogFollower } from './consumer.ts';
import { forgetNaming } from './forget.ts';
import { type Lag, lagOf } from './lag.ts';
import { busMigrations } from './migrations.ts';
import { dropStale } from './payloads.ts';
import { checkRedis, connectRedis, keyPrefix } from './redis.ts';
import { forgetReplies } from './replies.ts';
import { CommandServer, type Handler } from './server.ts';
import { type Listener, Subscription } from './subscription.ts';
import { Waker } from './waker.ts';

export interface BusOptions {
  redisUrl: string;
  prefix: string;
  database: Database;
  logger: Logger;
  /** Commands of one component that this process runs at once. */
  concurrency: number;
  /** Told of every command that this process handles. */
  metrics?: Pick<Metrics, 'command'>;
  /** Traces what is called, handled and followed. */
  tracer?: Tracer | undefined;
  /** See ConsumerOptions. */
  pollMs?: number;
}

/** What calls commands. */
export type CallBus = Pick<Bus, 'call'>;
/** What a command needs in order to tell the consumers of its log. */
export type WakeBus = Pick<Bus, 'wake'>;

/** Work that is begun by a consumer and done after it. */
export interface CatchingUp {
  /** Resolves when everything is done that was to be done at the time of the call. */
  catchUp(): Promise<void>;
}

const day = 86_400_000;

/** The one way by which components talk: typed commands over BullMQ, and logs of facts in PostgreSQL. */
export class Bus implements Stoppable {
  /** The bounded connection, for small things besides the queues: nonces, wake-ups of long-polls. */
  readonly redis: Redis;
  /** The connection of workers, which waits for as long as Redis is away. */
  readonly workers: Redis;
  /** What every key begins with. */
  readonly prefix: string;
  readonly #options: BusOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #caller: Caller;
  readonly #waker: Waker;
  readonly #followers = new Set<CatchingUp>();
  readonly #attended = new Set<CatchingUp>();

  private constructor(options: BusOptions) {
    this.#options = options;
    this.prefix = keyPrefix(options.redisUrl, options.prefix);
    this.redis = this.#connect('bounded');
    this.workers = this.#connect('endless');
    this.#caller = this.#lifecycle.add(new Caller(this, options.database.tables(), options.tracer));
    this.#waker = this.#lifecycle.add(new Waker(this.redis, this.prefix));
    const cleaner = setInterval(() => void this.#forget(), day / 24);
    cleaner.unref();
    this.#lifecycle.add({
      stop: async () => {
        clearInterval(cleaner);
      },
    });
  }

  /** Connects, refuses a Redis that may lose work, and brings the bus's own tables up to date. */
  static async open(options: BusOptions): Promise<Bus> {
    const bus = new Bus(options);
    try {
      await checkRedis(bus.redis);
      await migrate(options.database, 'bus', busMigrations);
    } catch (error) {
      await bus.stop();
      throw error;
    }
    return bus;
  }

  call<Input, Output>(
    command: Command<Input, Output>,
    input: Input,
    options: CallOptions = {},
  ): Promise<Output> {
    return this.#caller.call(command, input, options);
  }

  /** Wakes the consumers of a log; call it after the commit. */
  wake(log: EventLog<never> | EventLog<unknown>, position: number): void {
    this.#waker.wake(log, position);
  }

  /**
   * Forgets the remembered replies and the finished commands that name something which is no more, such as a
   * room; answers how many of each.
   */
  forget(name: string): Promise<Record<string, number>> {
    return forgetNaming(this, this.#options.database.tables(), name);
  }

  /** Runs the commands of a component until the service is stopped. */
  async serve(component: ComponentName, handlers: readonly Handler[]): Promise<Stoppable> {
    const { prefix } = this;
    const { database, logger, concurrency, metrics, tracer } = this.#options;
    const server = new CommandServer(component, handlers, {
      connection: this.workers,
      prefix,
      database,
      logger,
      concurrency,
      metrics,
      tracer,
    });
    await server.ready();
    return server;
  }

  /** Follows a log until the service is stopped. */
  async follow<Fact>(consumer: Consumer<Fact>): Promise<Stoppable> {
    const { prefix } = this;
    const { database, logger, tracer, pollMs } = this.#options;
    const follower = new LogFollower(consumer, {
      connection: this.workers,
      prefix,
      database,
      logger,
      tracer,
      ...(pollMs === undefined ? {} : { pollMs }),
    });
    await follower.ready();
    this.#followers.add(follower);
    return {
      stop: async () => {
        this.#followers.delete(follower);
        await follower.stop();
      },
    };
  }

  /** Has `catchUp` wait for work that consumers leave behind, after they themselves are done. */
  attend(work: CatchingUp): Stoppable {
    this.#attended.add(work);
    return {
      stop: async () => {
        this.#attended.delete(work);
      },
    };
  }

  /** Applies what the logs hold by now in all consumers of this process, without waiting to be woken. */
  async catchUp(): Promise<void> {
    await Promise.all([...this.#followers].map((follower) => follower.catchUp()));
    await Promise.all([...this.#attended].map((work) => work.catchUp()));
  }

  /** What stands in the queue of each component. */
  async backlog(): Promise<Backlog[]> {
    const now = Date.now();
    return Promise.all(componentNames.map((name) => backlogOf(this.#caller.queueOf(name), now)));
  }

  /** How far the consumers of a log are behind. */
  async lag(log: EventLog<unknown>): Promise<Lag[]> {
    return lagOf(this.#options.database.tables(), log, Date.now());
  }

  /** Hears what is published on a channel, over a connection of its own, until the subscription is stopped. */
  subscribe(channel: string, listener: Listener): Subscription {
    const { redisUrl, logger } = this.#options;
    return new Subscription(connectRedis(redisUrl, 'endless', logger), channel, listener, logger);
  }

  #connect(patience: 'bounded' | 'endless'): Redis {
    const redis = connectRedis(this.#options.redisUrl, patience, this.#options.logger);
    this.#lifecycle.add({
      stop: async () => {
        redis.disconnect();
      },
    });
    return redis;
  }

  async #forget(): Promise<void> {
    const { database } = this.#options;
    await forgetReplies(database.tables(), Date.now() - day).catch(() => undefined);
    await dropStale(database.tables(), Date.now() - day / 24).catch(() => undefined);
  }

  async stop(): Promise<void> {
    await this.#lifecycle.stop();
  }
}
