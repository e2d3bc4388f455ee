import { z } from 'zod';

import { type KeyBackupVersion, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, jsonObject, text } from './schemas.ts';

type Reads = Pick<AccountDeps['userapi'], 'latestKeyBackup' | 'keyBackup'>;

const path = clientPaths('/room_keys/version');
const versionPath = clientPaths('/room_keys/version/:version');
const params = z.object({ version: text() });
const body = z.object({ algorithm: text(), auth_data: jsonObject });
const shown = z.object({
  algorithm: z.string(),
  auth_data: jsonObject,
  count: z.number(),
  etag: z.string(),
  version: z.string(),
});

export const createKeyBackup = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path,
    access: 'user',
    rateLimit: 'write',
    summary: 'Begin a key backup',
    body,
    answer: z.object({ version: z.string() }),
    handle: ({ requester: { userId }, body: { algorithm, auth_data: authData } }) =>
      deps.bus.call(userapi.createKeyBackupVersion, { userId, algorithm, authData }),
  });

export const latestKeyBackup = (deps: { userapi: Reads }): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'user',
    rateLimit: 'read',
    summary: 'The newest key backup',
    answer: shown,
    handle: async ({ requester }) => show(await deps.userapi.latestKeyBackup(requester.userId)),
  });

export const keyBackup = (deps: { userapi: Reads }): Endpoint =>
  endpoint({
    method: 'GET',
    path: versionPath,
    access: 'user',
    rateLimit: 'read',
    summary: 'One key backup',
    params,
    answer: shown,
    handle: async ({ requester, params }) =>
      show(await deps.userapi.keyBackup(requester.userId, params.version)),
  });

export const updateKeyBackup = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: versionPath,
    access: 'user',
    rateLimit: 'write',
    summary: 'Replace the auth data of a key backup',
    params,
    body,
    answer: empty,
    handle: async ({ requester: { userId }, params, body: { algorithm, auth_data: authData } }) => {
      await deps.bus.call(userapi.updateKeyBackupVersion, { userId, ...params, algorithm, authData });
      return {};
    },
  });

export const deleteKeyBackup = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: versionPath,
    access: 'user',
    rateLimit: 'write',
    summary: 'Delete a key backup',
    params,
    answer: empty,
    handle: async ({ requester: { userId }, params: { version } }) => {
      await deps.bus.call(userapi.deleteKeyBackupVersion, { userId, version });
      return {};
    },
  });

function show(backup: KeyBackupVersion | undefined): z.infer<typeof shown> {
  if (backup === undefined) throw notFound('There is no such key backup.');
  const { authData, ...rest } = backup;
  return { ...rest, auth_data: authData };
}
