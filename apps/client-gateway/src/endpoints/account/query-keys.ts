import { z } from 'zod';

import { federation, type RemoteDeviceKeys } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { isMatrixError, type JsonObject, serverNameOf } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { deviceId, jsonObject, userId } from './schemas.ts';

type Deps = Pick<AccountDeps, 'bus' | 'userapi' | 'config'>;
type Wanted = Record<string, string[]>;

/** What a client waits for another server at the most, in ms; it asks again for what is missing. */
const patienceMs = 10_000;
/** Users whose lists are fetched at the same time. */
const width = 8;

/** `POST /keys/query`. Lists of other servers' users that are not held, or out of date, are fetched first. */
export const queryKeys = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/keys/query'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The device keys of users',
    body: z.object({ device_keys: z.record(userId, z.array(deviceId)) }),
    answer: z.object({
      device_keys: z.record(z.string(), z.record(z.string(), jsonObject)),
      master_keys: z.record(z.string(), jsonObject),
      self_signing_keys: z.record(z.string(), jsonObject),
      user_signing_keys: z.record(z.string(), jsonObject),
      failures: z.record(z.string(), jsonObject),
    }),
    handle: async ({ body, requester: { userId: requester } }) => {
      const entries = Object.entries(body.device_keys);
      const isLocal = ([id]: [string, unknown]): boolean => serverNameOf(id) === deps.config.server_name;
      const local = Object.fromEntries(entries.filter(isLocal));
      const remote = Object.fromEntries(entries.filter((entry) => !isLocal(entry)));
      const none = Object.fromEntries(Object.keys(local).map((id) => [id, {}]));
      const [found, signing, { users, failures }] = await Promise.all([
        deps.userapi.deviceKeys(local),
        deps.userapi.crossSigningKeys(Object.keys(local), requester),
        remoteKeys(deps, remote, requester),
      ]);
      return {
        device_keys: { ...none, ...found, ...pick(users, (keys) => keys.deviceKeys) },
        master_keys: { ...pick(signing, (keys) => keys.master), ...pick(users, (keys) => keys.masterKey) },
        self_signing_keys: {
          ...pick(signing, (keys) => keys.selfSigning),
          ...pick(users, (keys) => keys.selfSigningKey),
        },
        user_signing_keys: pick(signing, (keys) => keys.userSigning),
        failures,
      };
    },
  });

/** What users have of something; those who have none are left out. */
function pick<Keys, T>(
  users: ReadonlyMap<string, Keys>,
  of: (keys: Keys) => T | null | undefined,
): Record<string, T> {
  const picked: [string, T][] = [];
  for (const [id, keys] of users) {
    const value = of(keys);
    if (value !== null && value !== undefined) picked.push([id, value]);
  }
  return Object.fromEntries(picked);
}

/** What cannot be fetched is a failure of its server; what is held of it is told all the same. */
async function remoteKeys(
  deps: Deps,
  wanted: Wanted,
  requester: string,
): Promise<{ users: Map<string, RemoteDeviceKeys>; failures: Record<string, JsonObject> }> {
  const held = await deps.userapi.remoteDeviceKeys(wanted, requester);
  const missing = Object.keys(wanted).filter((id) => held.get(id)?.isStale ?? true);
  if (missing.length === 0) return { users: held, failures: {} };
  const failures = new Map<string, JsonObject>();
  const fetchNext = async (): Promise<void> => {
    for (let id = missing.shift(); id !== undefined; id = missing.shift()) {
      const server = serverNameOf(id) ?? id;
      // One failure says enough of a server: it is not asked for its other users as well.
      if (!failures.has(server)) await fetchList(deps, id, server, failures);
    }
  };
  await Promise.all(Array.from({ length: width }, fetchNext));
  const users = await deps.userapi.remoteDeviceKeys(wanted, requester);
  return { users, failures: Object.fromEntries(failures) };
}

async function fetchList(
  deps: Deps,
  id: string,
  server: string,
  failures: Map<string, JsonObject>,
): Promise<void> {
  try {
    await deps.bus.call(federation.refreshDevices, { userId: id }, { timeoutMs: patienceMs });
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    failures.set(server, { status: 503, message: error.message });
  }
}
