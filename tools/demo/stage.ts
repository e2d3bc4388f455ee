import type { HttpClient } from '../shared/client.ts';
import type { World } from './world.ts';

/** One admin call: what it is, on what size, and how the affected users see that it happened. */
export interface Call {
  name: string;
  size: string;
  run(): Promise<unknown>;
  check(answer: unknown): Promise<void>;
  /** What of the answer is worth a line of its own. */
  show?(answer: unknown): string;
}

/** What the calls work on. */
export interface Stage {
  client: HttpClient;
  world: World;
  secret: string;
  /** Runs a statement on the database as an operator would in psql. */
  readonly sql: (statement: string) => Promise<void>;
}

export const v3 = '/_matrix/client/v3';
export const admin = '/_dendrite/admin';
export const encode = encodeURIComponent;
