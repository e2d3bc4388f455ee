import { accountTypes } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { supportedRoomVersions } from '@seneschal/matrix';
import { z } from 'zod';

import { jsonObject } from './shapes.ts';

/** `GET /capabilities`. */
export const capabilities = (deps: { defaultRoomVersion: string }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/capabilities'),
    access: 'user',
    rateLimit: 'read',
    summary: 'What this server can do',
    answer: z.object({ capabilities: jsonObject }),
    handle: async ({ requester }) => ({
      capabilities: {
        'm.change_password': { enabled: true },
        'm.room_versions': {
          default: deps.defaultRoomVersion,
          available: Object.fromEntries(supportedRoomVersions.map((version) => [version, 'stable'])),
        },
        'm.profile_fields': { enabled: true },
        'm.set_displayname': { enabled: true },
        'm.set_avatar_url': { enabled: true },
        'm.3pid_changes': { enabled: false },
        'm.get_login_token': { enabled: true },
        'm.forget_forced_upon_leave': { enabled: false },
        ...(requester.accountType === accountTypes.admin
          ? { 'm.account_moderation': { suspend: true, lock: true } }
          : {}),
      },
    }),
  });
