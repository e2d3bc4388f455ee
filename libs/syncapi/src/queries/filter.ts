import type { Kysely } from 'kysely';

import type { JsonObject } from '@seneschal/matrix';

import { selectFilter } from '../storage/filters.ts';
import type { SyncapiTables } from '../storage/tables.ts';

/** A stored filter of the user; undefined when there is none of that ID. */
export async function filter(
  db: Kysely<SyncapiTables>,
  userId: string,
  filterId: string,
): Promise<JsonObject | undefined> {
  if (!/^\d{1,15}$/.test(filterId)) return undefined;
  const text = await selectFilter(db, userId, Number(filterId));
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
}
