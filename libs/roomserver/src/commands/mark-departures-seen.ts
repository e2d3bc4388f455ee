import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';

import { markDeparturesSeen as mark } from '../storage/departures.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.markDeparturesSeen.input>;

/** A device knows of the rooms that were purged; repeated, it changes nothing. */
export async function markDeparturesSeen(
  deps: { db: Kysely<RoomserverTables> },
  input: Input,
): Promise<Record<string, never>> {
  await mark(deps.db, input);
  return {};
}
