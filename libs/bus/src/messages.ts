import type { JsonObject } from '@seneschal/matrix';

/** What a BullMQ job of a command carries. */
export interface CommandJob {
  /** Stays the same over redeliveries; callers with an idempotency key choose it. */
  commandId: string;
  hasIdempotencyKey: boolean;
  traceId: string;
  /** The caller's span, while anything is traced. */
  traceParent?: string;
  /** After this time (ms) nobody waits any more, and a command that has not begun is not begun. */
  deadline: number;
  /** The channel that the reply is published to. */
  replyTo: string;
  input: unknown;
  /** Whether the input is in the database instead, under the ID of the job. */
  isApart?: true;
}

/** What a command answers: always a completed BullMQ job, also when the command was refused. */
export type CommandReply = { ok: true; output: unknown } | { ok: false; status: number; body: JsonObject };

export interface PublishedReply {
  jobId: string;
  reply: CommandReply;
}
