import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { type JsonObject, MatrixError, notFound } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, jsonObject, requireSelf, roomId, text, userId } from './schemas.ts';

interface ReadDeps {
  userapi: Pick<AccountDeps['userapi'], 'accountData'>;
}

const path = clientPaths('/user/:userId/account_data/:type');
const params = z.object({ userId, type: text() });
const roomPath = clientPaths('/user/:userId/rooms/:roomId/account_data/:type');
const roomParams = z.object({ userId, roomId, type: text() });

export const accountData = (deps: ReadDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'user',
    rateLimit: 'read',
    summary: 'Account data of the user',
    params,
    answer: jsonObject,
    handle: async ({ requester, params }) => {
      requireSelf(requester, params.userId);
      return found(await deps.userapi.accountData(params.userId, null, params.type));
    },
  });

export const roomAccountData = (deps: ReadDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: roomPath,
    access: 'user',
    rateLimit: 'read',
    summary: 'Account data of the user about a room',
    params: roomParams,
    answer: jsonObject,
    handle: async ({ requester, params }) => {
      requireSelf(requester, params.userId);
      return found(await deps.userapi.accountData(params.userId, params.roomId, params.type));
    },
  });

export const setAccountData = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    access: 'user',
    rateLimit: 'write',
    summary: 'Set account data of the user',
    params,
    body: jsonObject,
    answer: empty,
    handle: async ({ requester, params: { userId, type }, body }) => {
      requireSelf(requester, userId);
      refuseServerTypes(type);
      await deps.bus.call(userapi.setAccountData, { userId, type, content: body });
      return {};
    },
  });

export const setRoomAccountData = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: roomPath,
    access: 'user',
    rateLimit: 'write',
    summary: 'Set account data of the user about a room',
    params: roomParams,
    body: jsonObject,
    answer: empty,
    handle: async ({ requester, params: { userId, roomId, type }, body }) => {
      requireSelf(requester, userId);
      refuseServerTypes(type);
      await deps.bus.call(userapi.setAccountData, { userId, roomId, type, content: body });
      return {};
    },
  });

function found(content: JsonObject | undefined): JsonObject {
  if (content === undefined) throw notFound('There is no such account data.');
  return content;
}

/** These two have endpoints of their own (client-server API, "Client Config"). */
function refuseServerTypes(type: string): void {
  if (type !== 'm.fully_read' && type !== 'm.push_rules') return;
  throw new MatrixError(405, 'M_BAD_JSON', `Cannot set ${type} through this API.`);
}
