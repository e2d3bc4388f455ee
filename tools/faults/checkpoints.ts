import pg from 'pg';

/** The lock that holds a checkpoint: its transaction waits for it. */
const lockKey = 4242;

/**
 * Stops a worker in the middle of a checkpoint: a trigger counts the changes that runners make to the rows of
 * jobs, and lets the one that is planned wait.
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
      CREATE TABLE IF NOT EXISTS faults_plan (hold bigint);
      CREATE OR REPLACE FUNCTION faults_hold() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.version <> OLD.version AND nextval('faults_checkpoint') = (SELECT hold FROM faults_plan) THEN
          PERFORM pg_advisory_xact_lock(${lockKey});
        END IF;
        RETURN NEW;
      END $$;
      CREATE OR REPLACE TRIGGER faults_hold BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION faults_hold();
    `);
    return new Checkpoints(client);
  }

  /** Counts from one again, and holds the checkpoint of this number; none when it is 0. */
  async plan(hold: number): Promise<void> {
    await this.#client.query(
      `ALTER SEQUENCE faults_checkpoint RESTART; DELETE FROM faults_plan; INSERT INTO faults_plan VALUES (${hold});`,
    );
    if (hold > 0) await this.#client.query('SELECT pg_advisory_lock($1)', [lockKey]);
  }

  /** How many checkpoints there were since the plan. */
  async count(): Promise<number> {
    const { rows } = await this.#client.query<{ count: string }>(
      'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS count FROM faults_checkpoint',
    );
    return Number(rows[0]?.count ?? 0);
  }

  /** The worker that stands at the held checkpoint, as soon as there is one. */
  async held(): Promise<{ worker: string; backend: number }> {
    for (;;) {
      const { rows } = await this.#client.query<{ worker: string; backend: number }>(
        `SELECT application_name AS worker, pid AS backend FROM pg_stat_activity
          WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)) AND wait_event = 'advisory'`,
      );
      if (rows[0] !== undefined) return rows[0];
    }
  }

  /** Lets the held checkpoint go on; without its connection it is lost. */
  async release(lost?: number): Promise<void> {
    if (lost !== undefined) await this.#client.query('SELECT pg_terminate_backend($1)', [lost]);
    await this.#client.query('DELETE FROM faults_plan');
    await this.#client.query('SELECT pg_advisory_unlock($1)', [lockKey]);
  }

  async stop(): Promise<void> {
    await this.#client.end();
  }
}
