import { z } from 'zod';

import type { Device } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';

export const shownDevice = z.object({
  device_id: z.string(),
  display_name: z.string().optional(),
  last_seen_ip: z.string().optional(),
  last_seen_ts: z.number().optional(),
});

export const devices = (deps: { userapi: Pick<AccountDeps['userapi'], 'devices'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/devices'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The sessions of the user',
    answer: z.object({ devices: z.array(shownDevice) }),
    handle: async ({ requester }) => {
      const found = await deps.userapi.devices(requester.userId);
      return { devices: found.map(show) };
    },
  });

/** As clients know it (client-server API, "Device Management"). */
export function show(device: Device): z.infer<typeof shownDevice> {
  return {
    device_id: device.deviceId,
    ...(device.displayName === null ? {} : { display_name: device.displayName }),
    ...(device.lastSeenIp === null ? {} : { last_seen_ip: device.lastSeenIp }),
    ...(device.lastSeenTs === null ? {} : { last_seen_ts: device.lastSeenTs }),
  };
}
