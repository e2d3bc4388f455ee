import type { SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { count, jsonObject } from '../rooms/shapes.ts';

const usualPage = 20;
const largestPage = 100;

/** `GET /notifications`. */
export const notifications = (deps: { syncapi: Pick<SyncapiForClient, 'notifications'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/notifications'),
    access: 'user',
    rateLimit: 'read',
    summary: 'What the user was notified of, or would have been',
    query: z.object({
      from: z.string().optional(),
      limit: count.default(usualPage),
      only: z.string().optional(),
    }),
    answer: z.object({ notifications: z.array(jsonObject), next_token: z.string().optional() }),
    handle: async ({ query: { from, limit, only }, requester: { userId, deviceId } }) => {
      const page = await deps.syncapi.notifications({
        userId,
        deviceId,
        from,
        limit: Math.min(limit, largestPage),
        onlyHighlights: only === 'highlight',
      });
      const { next } = page;
      return { notifications: page.notifications, ...(next === undefined ? {} : { next_token: next }) };
    },
  });
