import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { userapi, type UserapiForFederation } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { JsonObject } from '@seneschal/matrix';

import { requireAllLocal, userId } from './local-user.ts';

const byUser = z.record(z.string(), z.record(z.string(), z.unknown()));
const byDevice = z.record(z.string(), byUser);

interface Deps {
  bus: CallBus;
  userapi: Pick<UserapiForFederation, 'deviceKeys' | 'crossSigningKeys'>;
  config: { server_name: string };
}

/** Server-server API, `POST /user/keys/query`. */
export const queryKeys = (deps: Omit<Deps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_matrix/federation/v1/user/keys/query',
    access: 'server',
    rateLimit: 'none',
    summary: 'The device keys of users of this server',
    body: z.object({ device_keys: z.record(userId, z.array(z.string())) }),
    answer: z.object({ device_keys: byDevice, master_keys: byUser, self_signing_keys: byUser }),
    handle: async ({ body }) => {
      requireAllLocal(Object.keys(body.device_keys), deps.config.server_name);
      const signing = await deps.userapi.crossSigningKeys(Object.keys(body.device_keys), null);
      const keysOf = (usage: 'master' | 'selfSigning'): Record<string, JsonObject> =>
        Object.fromEntries(
          [...signing].flatMap(([user, { [usage]: key }]) => (key === undefined ? [] : [[user, key]])),
        );
      return {
        device_keys: await deps.userapi.deviceKeys(body.device_keys),
        master_keys: keysOf('master'),
        self_signing_keys: keysOf('selfSigning'),
      };
    },
  });

/** Server-server API, `POST /user/keys/claim`. */
export const claimKeys = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_matrix/federation/v1/user/keys/claim',
    access: 'server',
    rateLimit: 'none',
    summary: 'A one-time key of each of several devices of users of this server',
    body: z.object({ one_time_keys: z.record(userId, z.record(z.string(), z.string())) }),
    answer: z.object({ one_time_keys: byDevice }),
    handle: async ({ body }) => {
      requireAllLocal(Object.keys(body.one_time_keys), deps.config.server_name);
      const { oneTimeKeys } = await deps.bus.call(userapi.claimKeys, { oneTimeKeys: body.one_time_keys });
      return { one_time_keys: oneTimeKeys };
    },
  });
