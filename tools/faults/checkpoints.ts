import pg from 'pg';

/** The lock that holds a checkpoint: its transaction waits for it. */
const lockKey = 4242;

/** The n-th change, from 1, that runners make to rows of jobs of a kind while they are in a phase. */
export interface Place {
  kind: string;
  phase: string;
  /** 'last' is the change that leaves the phase. */
  nth: number | 'last';
}

/** The worker that stands at a checkpoint, by the name of its connections, and the backend that it waits for. */
export interface Held {
  worker: string;
  backend: number;
}

/**
 * Stops a worker in the middle of a checkpoint: a trigger counts the changes that runners make to the rows of
 * jobs in the phase that is planned, and lets the one that is planned wait.
 */
export class Checkpoints {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async on(url: string): Promise<Checkpoints> {
    const client = new pg.Client(url);
    // A PostgreSQL that is stopped ends the connection.
    client.on('error', () => undefined);
    await client.connect();
    await client.query(`
      CREATE SEQUENCE IF NOT EXISTS faults_checkpoint;
      CREATE TABLE IF NOT EXISTS faults_plan (kind text, phase text, nth bigint);
      CREATE OR REPLACE FUNCTION faults_hold() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE wanted bigint := (SELECT nth FROM faults_plan WHERE kind = OLD.kind AND phase = OLD.phase);
      BEGIN
        IF wanted IS NOT NULL AND NEW.version <> OLD.version AND (
          (wanted = 0 AND (NEW.phase <> OLD.phase OR NEW.finished_ts IS NOT NULL))
          OR (wanted > 0 AND nextval('faults_checkpoint') = wanted)
        ) THEN
          PERFORM pg_advisory_xact_lock(${lockKey});
        END IF;
        RETURN NEW;
      END $$;
      CREATE OR REPLACE TRIGGER faults_hold BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION faults_hold();
    `);
    return new Checkpoints(client);
  }

  /** Holds the next worker that comes there. */
  async plan({ kind, phase, nth }: Place): Promise<void> {
    await this.clear();
    await this.#client.query('ALTER SEQUENCE faults_checkpoint RESTART');
    await this.#client.query('SELECT pg_advisory_lock($1)', [lockKey]);
    await this.#client.query('INSERT INTO faults_plan VALUES ($1, $2, $3)', [
      kind,
      phase,
      nth === 'last' ? 0 : nth,
    ]);
  }

  /** Holds nobody, now or later. */
  async clear(): Promise<void> {
    await this.#client.query('DELETE FROM faults_plan');
    await this.#client.query('SELECT pg_advisory_unlock_all()');
  }

  /** The worker that stands at the checkpoint, as soon as there is one; undefined when it is over before. */
  async held(over: Promise<unknown>): Promise<Held | undefined> {
    let isOver = false;
    const end = over.finally(() => {
      isOver = true;
    });
    // A function, as the compiler does not see that a callback changes the variable.
    const goesOn = (): boolean => !isOver;
    while (goesOn()) {
      const { rows } = await this.#client.query<Held>(
        `SELECT application_name AS worker, pid AS backend FROM pg_stat_activity
          WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)) AND wait_event = 'advisory'`,
      );
      if (rows[0] !== undefined) return rows[0];
    }
    await end;
    return undefined;
  }

  /** Resolves when another worker is about to claim the job, and waits for the row that the first has locked. */
  async contested({ worker }: Held): Promise<void> {
    for (let waiting = 0; waiting === 0;) {
      const { rows } = await this.#client.query<{ waiting: string }>(
        `SELECT count(*) AS waiting FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND query LIKE '%claimed%' AND application_name <> $1`,
        [worker],
      );
      waiting = Number(rows[0]?.waiting ?? 0);
    }
  }

  /** Lets the held checkpoint go on; without its connection it is lost. */
  async release(lost?: number): Promise<void> {
    if (lost !== undefined) await this.#client.query('SELECT pg_terminate_backend($1)', [lost]);
    await this.clear();
  }

  async stop(): Promise<void> {
    await this.#client.end();
  }
}
