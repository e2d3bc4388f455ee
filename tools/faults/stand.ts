import { sql } from 'kysely';

import { Checkpoints, type Held, type Place } from './checkpoints.ts';
import { Servers } from './servers.ts';

/** What a job is to work on, made anew for each run. Runs on ground of the same kind come to the same end. */
export interface Ground {
  start(): Promise<{ jobId: string }>;
  /** Waits for the end of the job; answers what it says, and what has become of the ground. */
  end(jobId: string): Promise<object>;
}

export interface HeldJob extends Held {
  jobId: string;
}

/** Done to the server while a worker stands at a checkpoint of the job; lets it go on. */
export type Fault = (stand: Stand, held: HeldJob) => Promise<void>;

const workers = 2;
/** A killed worker's job is in other hands by then. */
const longestTakeoverMs = 10_000;

/** Two workers, and what lets one of them stop where a test wants it. */
export class Stand {
  readonly servers: Servers;
  readonly takeovers: number[] = [];
  checkpoints: Checkpoints;
  #killed: number | undefined;

  private constructor(servers: Servers, checkpoints: Checkpoints) {
    this.servers = servers;
    this.checkpoints = checkpoints;
  }

  static async open(): Promise<Stand> {
    const servers = await Servers.start();
    return new Stand(servers, await Checkpoints.on(servers.databaseUrl));
  }

  /** The end of a run to which nothing is done. */
  async undisturbed(ground: Ground): Promise<object> {
    await this.checkpoints.clear();
    const { jobId } = await ground.start();
    return ground.end(jobId);
  }

  /** The end of a run to which something is done at a checkpoint; undefined when it has no such checkpoint. */
  async disturbed(ground: Ground, place: Place, fault: Fault): Promise<object | undefined> {
    await this.checkpoints.plan(place);
    const { jobId } = await ground.start();
    const held = await this.checkpoints.held(this.servers.jobs.wait(jobId, 60_000));
    if (held !== undefined) await fault(this, { ...held, jobId });
    const end = await ground.end(jobId);
    await this.#lookAtTakeover();
    while (this.servers.workers < workers) await this.servers.addWorker();
    return held === undefined ? undefined : end;
  }

  async kill(worker: string): Promise<void> {
    this.#killed = await this.servers.kill(worker);
  }

  /** How long it took until another worker had the job; of its first and last checkpoint there is nothing to take. */
  async #lookAtTakeover(): Promise<void> {
    const killed = this.#killed;
    this.#killed = undefined;
    if (killed === undefined) return;
    const { rows } = await sql<{ ts: number | null }>`
      SELECT min(ts) AS ts FROM job_events WHERE event = 'taken_over' AND ts >= ${killed}
    `.execute(this.servers.database.tables());
    const taken = rows[0]?.ts ?? undefined;
    if (taken === undefined) return;
    this.takeovers.push(taken - killed);
    if (taken - killed > longestTakeoverMs) throw new Error(`Taken over after ${taken - killed} ms.`);
  }

  /** Tells how long takeovers took. */
  async stop(): Promise<void> {
    if (this.takeovers.length > 0) {
      const sorted = [...this.takeovers].sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
      process.stdout.write(
        `${sorted.length} takeovers after SIGKILL: ${sorted[0] ?? 0} to ${sorted.at(-1) ?? 0} ms, median ${median} ms\n`,
      );
    }
    await this.checkpoints.stop();
    await this.servers.stop();
  }
}
