import { z } from 'zod';

import { federation, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { isServerName, serverNameOf } from '@seneschal/matrix';

import { flag } from '../../flag.ts';
import { longCall, longCallAnswers, type Rehearsal, rehearsalAnswer, rehearse } from '../../long-call.ts';
import { requireRemoteUserId } from '../../users.ts';
import { jobAnswer, toAnswer } from '../jobs/shapes.ts';
import type { RefreshDevicesDeps } from './refresh-devices.ts';

const maximumUsers = 10_000;
const body = z
  .object({
    user_ids: z
      .array(z.string())
      .min(1, 'is empty')
      .max(maximumUsers, `has more than ${maximumUsers} users`)
      .optional(),
    server_name: z.string().refine(isServerName, 'is not a server name').optional(),
  })
  .refine(
    (given) => (given.user_ids === undefined) !== (given.server_name === undefined),
    'takes user_ids or server_name, and not both',
  );

export interface RefreshManyDevicesDeps extends RefreshDevicesDeps {
  userapi: Pick<UserapiForAdmin, 'countRemoteUsers'>;
}

/** Fetches the device lists of many users as a job, which is the answer. One that fails stops no other. */
export const refreshManyDevices = (deps: RefreshManyDevicesDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_seneschal/v1/devices/refresh',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'federation',
    summary: 'Fetches the device lists of named users, or of all known users of a server',
    query: z.object({ dry_run: flag }),
    body,
    answer: z.union([jobAnswer, rehearsalAnswer]),
    otherAnswers: longCallAnswers,
    handle: async (request) => {
      const { user_ids: userIds = [], server_name: serverName } = request.body;
      for (const userId of userIds) requireRemoteUserId(userId, deps.config.server_name);
      if (request.query.dry_run) return rehearsal(deps, userIds, serverName);
      return longCall(deps, request, {
        kind: federation.refreshManyDevicesJob,
        input: serverName === undefined ? { userIds } : { serverName },
        answer: toAnswer,
      });
    },
  });

async function rehearsal(
  { jobs, userapi }: Pick<RefreshManyDevicesDeps, 'jobs' | 'userapi'>,
  userIds: readonly string[],
  serverName: string | undefined,
): Promise<Rehearsal> {
  const users = serverName === undefined ? new Set(userIds).size : await userapi.countRemoteUsers(serverName);
  const servers = serverName === undefined ? new Set(userIds.map(serverNameOf)).size : Math.min(1, users);
  return rehearse(jobs, federation.refreshManyDevicesJob, { users, remote_servers: servers }, users);
}
