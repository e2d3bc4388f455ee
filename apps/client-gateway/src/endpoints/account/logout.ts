import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { empty } from './schemas.ts';

export const logout = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/logout'),
    access: 'user',
    forLocked: true,
    rateLimit: 'write',
    summary: 'End this session',
    answer: empty,
    handle: async ({ requester: { userId, deviceId } }) => {
      await deps.bus.call(userapi.deleteDevices, { userId, deviceIds: [deviceId] });
      return {};
    },
  });

export const logoutAll = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/logout/all'),
    access: 'user',
    forLocked: true,
    rateLimit: 'write',
    summary: 'End all sessions of the user',
    answer: empty,
    handle: async ({ requester: { userId } }) => {
      await deps.bus.call(userapi.deleteDevices, { userId });
      return {};
    },
  });
