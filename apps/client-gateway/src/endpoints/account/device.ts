import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { show, shownDevice } from './devices.ts';
import { deviceId, empty, optional, text } from './schemas.ts';

const path = clientPaths('/devices/:deviceId');
const params = z.object({ deviceId });

export const device = (deps: { userapi: Pick<AccountDeps['userapi'], 'devices'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'user',
    rateLimit: 'read',
    summary: 'One session of the user',
    params,
    answer: shownDevice,
    handle: async ({ requester, params }) => {
      const all = await deps.userapi.devices(requester.userId);
      const found = all.find((one) => one.deviceId === params.deviceId);
      if (found === undefined) throw notFound('There is no such device.');
      return show(found);
    },
  });

export const renameDevice = (deps: Pick<AccountDeps, 'bus' | 'userapi'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    access: 'user',
    rateLimit: 'write',
    summary: 'Name a session',
    params,
    body: z.object({ display_name: optional(text()) }),
    answer: empty,
    handle: async ({ requester: { userId }, params, body }) => {
      const all = await deps.userapi.devices(userId);
      if (!all.some((one) => one.deviceId === params.deviceId)) throw notFound('There is no such device.');
      if (body.display_name === undefined) return {};
      const displayName = body.display_name;
      await deps.bus.call(userapi.setDeviceDisplayName, { userId, deviceId: params.deviceId, displayName });
      return {};
    },
  });
