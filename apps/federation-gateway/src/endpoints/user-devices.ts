import { z } from 'zod';

import type { UserapiForFederation } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { requireLocal, userId } from './local-user.ts';

const key = z.record(z.string(), z.unknown());
const device = z.object({
  device_id: z.string(),
  device_display_name: z.string().optional(),
  keys: key,
});

/** Server-server API, `GET /user/devices/{userId}`: what a server whose device list is out of date asks for. */
export const userDevices = (deps: {
  userapi: Pick<UserapiForFederation, 'deviceKeys' | 'crossSigningKeys' | 'deviceListPosition'>;
  config: { server_name: string };
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/user/devices/:userId',
    access: 'server',
    rateLimit: 'none',
    summary: 'All devices of a user with their keys',
    params: z.object({ userId }),
    answer: z.object({
      user_id: z.string(),
      stream_id: z.number(),
      devices: z.array(device),
      master_key: key.optional(),
      self_signing_key: key.optional(),
    }),
    handle: async ({ params }) => {
      requireLocal(params.userId, deps.config.server_name);
      // The position first: a change that comes between is then told again rather than missed.
      const streamId = await deps.userapi.deviceListPosition(params.userId);
      const keys = (await deps.userapi.deviceKeys({ [params.userId]: [] }))[params.userId] ?? {};
      const signing = (await deps.userapi.crossSigningKeys([params.userId], null)).get(params.userId);
      const devices = Object.entries(keys).map(([deviceId, { unsigned, ...signed }]) => {
        const name = (unsigned as { device_display_name?: string } | undefined)?.device_display_name;
        return {
          device_id: deviceId,
          ...(name === undefined ? {} : { device_display_name: name }),
          keys: signed,
        };
      });
      return {
        user_id: params.userId,
        stream_id: streamId,
        devices,
        ...(signing?.master === undefined ? {} : { master_key: signing.master }),
        ...(signing?.selfSigning === undefined ? {} : { self_signing_key: signing.selfSigning }),
      };
    },
  });
