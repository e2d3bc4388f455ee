import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { deviceId, jsonObject, optional, text, userId } from './schemas.ts';

const oneTimeKeys = optional(z.record(text(), z.union([text(8192), jsonObject])));

export const uploadKeys = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/keys/upload'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Publish keys of this device',
    body: z.object({
      device_keys: optional(jsonObject),
      one_time_keys: oneTimeKeys,
      fallback_keys: oneTimeKeys,
    }),
    bodyOptional: true,
    answer: z.object({ one_time_key_counts: z.record(z.string(), z.number()) }),
    handle: async ({ requester: { userId, deviceId }, body }) => {
      const { oneTimeKeyCounts } = await deps.bus.call(userapi.uploadKeys, {
        userId,
        deviceId,
        deviceKeys: body.device_keys,
        oneTimeKeys: body.one_time_keys,
        fallbackKeys: body.fallback_keys,
      });
      return { one_time_key_counts: oneTimeKeyCounts };
    },
  });

const failures = z.record(z.string(), jsonObject);

export const claimKeys = (deps: Pick<AccountDeps, 'bus' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/keys/claim'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Take a one-time key of each of several devices',
    body: z.object({ one_time_keys: z.record(userId, z.record(deviceId, text())) }),
    answer: z.object({ one_time_keys: z.record(z.string(), z.record(z.string(), jsonObject)), failures }),
    handle: async ({ body }) => {
      const { local, failures } = split(body.one_time_keys, deps.config.server_name);
      const { oneTimeKeys } = await deps.bus.call(userapi.claimKeys, { oneTimeKeys: local });
      return { one_time_keys: oneTimeKeys, failures };
    },
  });

/** Keys of other servers' users cannot be asked for yet: their servers are told as unreachable. */
function split<T>(
  users: Record<string, T>,
  serverName: string,
): { local: Record<string, T>; failures: Record<string, JsonObject> } {
  const local: [string, T][] = [];
  const failures: [string, JsonObject][] = [];
  for (const [userId, asked] of Object.entries(users)) {
    const server = serverNameOf(userId);
    if (server === serverName) local.push([userId, asked]);
    else if (server !== undefined) failures.push([server, { status: 503, message: 'Not reachable.' }]);
  }
  return { local: Object.fromEntries(local), failures: Object.fromEntries(failures) };
}
