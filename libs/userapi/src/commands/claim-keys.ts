import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import type { JsonObject } from '@seneschal/matrix';

import { type Claim, type ClaimedKey, takeFallbackKeys, takeOneTimeKeys } from '../storage/keys.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.claimKeys.input>;
type Output = z.infer<typeof userapi.claimKeys.output>;

export interface ClaimKeysDeps {
  db: UserapiDb;
}

/**
 * Gives out one key for each device asked: a one-time key, which is gone then, else the fallback key. Devices
 * without either are left out (client-server API, `POST /keys/claim`).
 */
export async function claimKeys(
  deps: ClaimKeysDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const claims = Object.entries(input.oneTimeKeys).flatMap(([userId, devices]) =>
    Object.entries(devices).map(([deviceId, algorithm]) => ({ userId, deviceId, algorithm })),
  );
  return transact(deps.db, async (trx) => {
    const once = await takeOneTimeKeys(trx, claims);
    const served = new Set(once.map(nameOf));
    const rest = claims.filter((claim) => !served.has(nameOf(claim)));
    const fallback = rest.length === 0 ? [] : await takeFallbackKeys(trx, rest);
    const output = { oneTimeKeys: grouped([...once, ...fallback]) };
    await context.remember(trx, output);
    return output;
  });
}

function nameOf(claim: Claim): string {
  return `${claim.userId}\0${claim.deviceId}`;
}

function grouped(keys: readonly ClaimedKey[]): Output['oneTimeKeys'] {
  const users = new Map<string, [string, JsonObject][]>();
  for (const { userId, deviceId, algorithm, keyId, key } of keys) {
    const devices = users.get(userId) ?? [];
    devices.push([deviceId, { [`${algorithm}:${keyId}`]: JSON.parse(key) as JsonObject | string }]);
    users.set(userId, devices);
  }
  return Object.fromEntries([...users].map(([userId, devices]) => [userId, Object.fromEntries(devices)]));
}
