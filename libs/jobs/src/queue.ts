import { createHash } from 'node:crypto';

import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

import type { Stoppable } from '@seneschal/observability';

import type { JobRow } from './tables.ts';

/** What BullMQ carries of a job: everything else stands in its row. */
export interface Delivery {
  jobId: string;
}

export type Runnable = Pick<JobRow, 'job_id' | 'component' | 'weight' | 'epoch'>;

const largestDelivery = 256;

interface NewDelivery {
  name: string;
  data: Delivery;
  opts: { jobId: string; delay: number; sizeLimit: number };
}

function queueOf(row: Runnable): string {
  return queueName(row.component, row.weight);
}

function deliveryOf(row: Runnable, delay: number): NewDelivery {
  const opts = { jobId: deliveryId(row), delay, sizeLimit: largestDelivery };
  return { name: 'run', data: { jobId: row.job_id }, opts };
}

export function queueName(component: string, weight: string): string {
  return `jobs-${component}-${weight}`;
}

/** BullMQ refuses identifiers of Matrix in its own; each hand-over of a job has one of its own. */
export function deliveryId({ job_id: jobId, epoch }: Runnable): string {
  return createHash('sha256').update(`${jobId}\0${epoch}`).digest('hex');
}

/** Puts jobs into their queues. What is in one already is not put in again. */
export class JobQueues implements Stoppable {
  readonly #connection: Redis;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue>();

  constructor(connection: Redis, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** Rejects when Redis is away or full; the reconciler then tries again. */
  async add(row: Runnable, delayMs = 0): Promise<void> {
    await this.addAll([row], delayMs);
  }

  async addAll(rows: readonly Runnable[], delayMs = 0): Promise<void> {
    for (const name of new Set(rows.map(queueOf))) {
      const deliveries = rows.filter((row) => queueOf(row) === name).map((row) => deliveryOf(row, delayMs));
      await this.#queueNamed(name).addBulk(deliveries);
    }
  }

  #queueNamed(name: string): Queue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(name, {
      connection: this.#connection,
      prefix: this.#prefix,
      // Nobody asks BullMQ how a job ended, and only what is alive may stand in the way of another delivery.
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    queue.on('error', () => undefined);
    this.#queues.set(name, queue);
    return queue;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }
}
