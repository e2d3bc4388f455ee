import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';

export interface ReplyTables {
  bus_replies: { command_id: string; part: string; reply: unknown; created_ts: number };
}

/** The key of the final reply; a long command remembers what each of its transactions did under other keys. */
const finalPart = '';

/** Thrown when another delivery of the same command has committed; the transaction rolls back. */
export class AlreadyDone extends Error {
  override readonly name = 'AlreadyDone';
}

/** Remembers the reply in the transaction that makes it true. Throws AlreadyDone when there is one. */
export async function rememberReply<T>(
  transaction: Transaction<T>,
  commandId: string,
  reply: unknown,
): Promise<void> {
  const inserted = await sql`
    INSERT INTO bus_replies (command_id, part, reply, created_ts)
    VALUES (${commandId}, ${finalPart}, ${JSON.stringify(reply)}::jsonb, ${Date.now()})
    ON CONFLICT DO NOTHING
  `.execute(transaction);
  if (inserted.numAffectedRows === 0n) throw new AlreadyDone(commandId);
}

/**
 * The statement that remembers what one of several transactions did, to be made part of a larger one.
 * @param guard a FROM clause of one row when the larger statement takes effect, of none when not
 */
export function partStatement(
  commandId: string,
  part: string,
  result: unknown,
  guard: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`
    INSERT INTO bus_replies (command_id, part, reply, created_ts)
    SELECT ${commandId}::text, ${part}::text, ${JSON.stringify(result)}::jsonb, ${Date.now()}::bigint ${guard}
    ON CONFLICT DO NOTHING`;
}

/** The remembered reply of a command, if it has one. */
export async function recallReply(
  db: Kysely<ReplyTables>,
  commandId: string,
): Promise<{ reply: unknown } | undefined> {
  return db
    .selectFrom('bus_replies')
    .select('reply')
    .where('command_id', '=', commandId)
    .where('part', '=', finalPart)
    .executeTakeFirst();
}

/** What earlier deliveries of a command have done, in order of time. */
export async function recallParts(db: Kysely<ReplyTables>, commandId: string): Promise<unknown[]> {
  const rows = await db
    .selectFrom('bus_replies')
    .select('reply')
    .where('command_id', '=', commandId)
    .where('part', '<>', finalPart)
    .orderBy('created_ts')
    .execute();
  return rows.map((row) => row.reply);
}

/** Forgets replies older than `before` (ms): far beyond any redelivery. */
export async function forgetReplies(db: Kysely<ReplyTables>, before: number): Promise<void> {
  await db.deleteFrom('bus_replies').where('created_ts', '<', before).execute();
}
