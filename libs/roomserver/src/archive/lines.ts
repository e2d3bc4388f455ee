import { z } from 'zod';

/** The version of the format; a file of another one is refused. */
export const archiveFormat = 1;

/** A longer line is refused before it is read to its end: no event, escaped as JSON within JSON, is as long. */
export const longestLine = 512 * 1024;

const membership = z.enum(['join', 'invite', 'knock', 'leave', 'ban']);

/** The first line. */
const roomLine = z.strictObject({
  kind: z.literal('room'),
  format: z.literal(archiveFormat),
  room_id: z.string().max(255),
  room_version: z.string().max(32),
  created_ts: z.int().nonnegative(),
  is_listed: z.boolean(),
  depth: z.int().nonnegative(),
  forward_extremities: z.array(z.string().max(255)).max(1000),
});

/** In the order in which the server received them. `json` is the stored text, also where it is damaged. */
const eventLine = z.strictObject({
  kind: z.literal('event'),
  event_id: z.string().max(255),
  json: z.string(),
  /** The state event that this one replaced. */
  replaces: z.string().max(255).optional(),
  /** The redaction that took the content away. */
  redacted_by: z.string().max(255).optional(),
  /** The text could not be read any more when it was exported; it is not taken over. */
  damaged: z.literal(true).optional(),
});

/** The current state, memberships apart. */
const stateLine = z.strictObject({
  kind: z.literal('state'),
  type: z.string().max(255),
  state_key: z.string().max(255),
  event_id: z.string().max(255),
});

const membershipLine = z.strictObject({
  kind: z.literal('membership'),
  user_id: z.string().max(255),
  membership,
  event_id: z.string().max(255),
  is_forgotten: z.boolean(),
});

const aliasLine = z.strictObject({
  kind: z.literal('alias'),
  alias: z.string().max(255),
  creator: z.string().max(255),
  created_ts: z.int().nonnegative(),
});

/** The last line: how many lines of each kind there were. */
const endLine = z.strictObject({
  kind: z.literal('end'),
  lines: z.record(z.string(), z.int().nonnegative()),
});

export const archiveLine = z.discriminatedUnion('kind', [
  roomLine,
  eventLine,
  stateLine,
  membershipLine,
  aliasLine,
  endLine,
]);

export type ArchiveLine = z.infer<typeof archiveLine>;
export type LineOf<Kind extends ArchiveLine['kind']> = Extract<ArchiveLine, { kind: Kind }>;

/** The kinds of lines in the order in which they stand in a file. */
export const lineOrder: readonly ArchiveLine['kind'][] = [
  'room',
  'event',
  'state',
  'membership',
  'alias',
  'end',
];
