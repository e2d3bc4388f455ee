import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint, type Reply } from '@seneschal/http';

import type { AccountDeps } from './deps.ts';
import { deviceId, empty } from './schemas.ts';
import { authenticate, uiaAnswers, uiaAuth, type UiaRequest } from './uia.ts';

type DeleteDeps = Pick<AccountDeps, 'bus' | 'userapi' | 'config'>;

export const deleteDevice = (deps: DeleteDeps): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: clientPaths('/devices/:deviceId'),
    access: 'user',
    rateLimit: 'login',
    summary: 'End a session of the user',
    params: z.object({ deviceId }),
    body: z.object({ auth: uiaAuth }),
    bodyOptional: true,
    answer: empty,
    otherAnswers: uiaAnswers,
    handle: ({ requester, params, body }) =>
      deleteAfterProof(deps, requester.userId, [params.deviceId], body.auth),
  });

export const deleteDevices = (deps: DeleteDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/delete_devices'),
    access: 'user',
    rateLimit: 'login',
    summary: 'End several sessions of the user',
    body: z.object({ auth: uiaAuth, devices: z.array(deviceId).max(10_000) }),
    answer: empty,
    otherAnswers: uiaAnswers,
    handle: ({ requester, body }) => deleteAfterProof(deps, requester.userId, body.devices, body.auth),
  });

async function deleteAfterProof(
  deps: DeleteDeps,
  userId: string,
  deviceIds: string[],
  auth: UiaRequest['auth'],
): Promise<Record<string, never> | Reply> {
  const operation = ['delete devices', ...deviceIds];
  const refused = await authenticate(deps, { auth, stages: ['m.login.password'], operation, userId });
  if (refused !== undefined) return refused;
  await deps.bus.call(userapi.deleteDevices, { userId, deviceIds });
  return {};
}
