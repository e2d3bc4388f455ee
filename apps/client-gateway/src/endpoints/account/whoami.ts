import { z } from 'zod';

import { accountTypes } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

export const whoami = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/account/whoami'),
    access: 'user',
    rateLimit: 'read',
    summary: 'Whose access token this is',
    answer: z.object({ user_id: z.string(), device_id: z.string(), is_guest: z.boolean() }),
    handle: async ({ requester }) => ({
      user_id: requester.userId,
      device_id: requester.deviceId,
      is_guest: requester.accountType === accountTypes.guest,
    }),
  });
