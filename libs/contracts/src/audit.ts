import { z } from 'zod';

/**
 * One admin call, as the audit log keeps it and shows it: who, by which token, from where, did what to what,
 * why, and what came of it. Secrets never get in.
 */
export const auditEntry = z.object({
  ts: z.number(),
  /** A user ID; `shared secret` for registrations by it. */
  actor: z.string(),
  /** Of the session: its device. */
  device_id: z.string().nullable(),
  /** Of a machine: the name of its admin token. */
  admin_token: z.string().nullable(),
  /** The beginning of the token's SHA-256: tells tokens apart and opens nothing. */
  token_digest: z.string(),
  ip: z.string(),
  user_agent: z.string(),
  /** As declared, such as `POST /_dendrite/admin/evacuateRoom/:roomId`. */
  action: z.string(),
  /** What it was done to: the users, rooms, jobs … that the request names. */
  targets: z.array(z.string()),
  query: z.record(z.string(), z.unknown()),
  arguments: z.unknown(),
  reason: z.string().nullable(),
  /** Of the answer; null when the process died before there was one, so that the outcome is not known. */
  status: z.number().nullable(),
  errcode: z.string().nullable(),
  job_id: z.string().nullable(),
  trace_id: z.string(),
  duration_ms: z.number().nullable(),
});
export type AuditEntry = z.infer<typeof auditEntry>;

/** A call that has begun. */
export type AuditedCall = Omit<AuditEntry, 'status' | 'errcode' | 'job_id' | 'duration_ms'>;

/** What came of a call. */
export type AuditedResult = Pick<AuditEntry, 'status' | 'errcode' | 'job_id' | 'duration_ms'>;

/** What the HTTP layer writes to. */
export interface AuditTrail {
  /**
   * Notes a call before it changes anything, so that it is not lost with its process. Answers the ID of the
   * note.
   */
  begin(call: AuditedCall): Promise<string>;
  /** Writes what came of a call to the log, in the place of its note if there was one. */
  end(noteId: string | undefined, call: AuditedCall, result: AuditedResult): Promise<void>;
  /** Drops a note: for calls by nobody that came to nothing. */
  drop(noteId: string): Promise<void>;
}

export interface AuditRow {
  position: number;
  entry: AuditEntry;
  /** SHA-256 over the hash of the row before, the position and the entry; base64url. */
  hash: string;
}

export interface AuditFilter {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  status?: number | undefined;
  since?: number | undefined;
  until?: number | undefined;
}

export interface AuditReads {
  /** Rows before (newest first) or after (oldest first) a position, which is not among them. */
  page(
    filter: AuditFilter,
    page: { from: number | undefined; limit: number; newestFirst: boolean },
  ): Promise<AuditRow[]>;
  /** The last row's position and hash: to be kept elsewhere and compared some day. */
  head(): Promise<{ position: number; hash: string }>;
}
