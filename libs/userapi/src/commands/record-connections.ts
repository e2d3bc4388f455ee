import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import { pruneConnections, type SeenConnection, upsertConnections } from '../storage/connections.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.recordConnections.input>;

export interface RecordConnectionsDeps {
  db: UserapiDb;
}

/** Remembers who was seen from where: two statements, however many there are. Devices that are gone are passed over. */
export async function recordConnections(
  deps: RecordConnectionsDeps,
  input: Input,
): Promise<Record<string, never>> {
  const seen = latestOfEach(input.connections);
  if (seen.length === 0) return {};
  await transact(deps.db, async (trx) => {
    await upsertConnections(trx, seen);
    await pruneConnections(trx, seen);
  });
  return {};
}

/** NUL is a character that PostgreSQL's text cannot hold; a header cannot either, so it is simply left out. */
function latestOfEach(connections: readonly SeenConnection[]): SeenConnection[] {
  const latest = new Map<string, SeenConnection>();
  for (const one of connections) {
    const clean = { ...one, userAgent: one.userAgent.replaceAll('\0', '') };
    const key = [clean.userId, clean.deviceId, clean.ip, clean.userAgent].join('\0');
    const known = latest.get(key);
    if (known === undefined || known.lastSeen < clean.lastSeen) latest.set(key, clean);
  }
  return [...latest.values()];
}
