import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { syncapi } from '@seneschal/contracts';
import { canonicalJson } from '@seneschal/matrix';

import { compileFilter } from '../filters.ts';
import { insertFilter } from '../storage/filters.ts';
import type { SyncapiTables } from '../storage/tables.ts';

/** Stores a filter. M_BAD_JSON when it is none. */
export async function createFilter(
  deps: { db: Kysely<SyncapiTables> },
  { userId, filter }: z.infer<typeof syncapi.createFilter.input>,
): Promise<{ filterId: string }> {
  compileFilter(filter);
  return { filterId: String(await insertFilter(deps.db, userId, canonicalJson(filter))) };
}
