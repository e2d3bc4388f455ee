import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { isJsonObject } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, jsonObject, requireSelf, roomId, text, userId } from './schemas.ts';

const tagPath = clientPaths('/user/:userId/rooms/:roomId/tags/:tag');
const tagParams = z.object({ userId, roomId, tag: text() });

export const tags = (deps: { userapi: Pick<AccountDeps['userapi'], 'accountData'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/user/:userId/rooms/:roomId/tags'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The tags that the user gave a room',
    params: z.object({ userId, roomId }),
    answer: z.object({ tags: jsonObject }),
    handle: async ({ requester, params }) => {
      requireSelf(requester, params.userId);
      const content = await deps.userapi.accountData(params.userId, params.roomId, 'm.tag');
      const stored = content?.['tags'];
      return { tags: isJsonObject(stored) ? stored : {} };
    },
  });

export const setTag = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: tagPath,
    access: 'user',
    rateLimit: 'write',
    summary: 'Tag a room',
    params: tagParams,
    body: jsonObject,
    bodyOptional: true,
    answer: empty,
    handle: async ({ requester, params, body }) => {
      requireSelf(requester, params.userId);
      await deps.bus.call(userapi.setRoomTag, { ...params, content: body });
      return {};
    },
  });

export const removeTag = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: tagPath,
    access: 'user',
    rateLimit: 'write',
    summary: 'Take a tag from a room',
    params: tagParams,
    answer: empty,
    handle: async ({ requester, params }) => {
      requireSelf(requester, params.userId);
      await deps.bus.call(userapi.setRoomTag, { ...params, content: null });
      return {};
    },
  });
