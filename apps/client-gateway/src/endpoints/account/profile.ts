import { z } from 'zod';

import { type Profile, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, optional, requireSelf, text, userId } from './schemas.ts';

interface ProfileDeps {
  userapi: Pick<AccountDeps['userapi'], 'profile'>;
}
const params = z.object({ userId });

export const profile = (deps: ProfileDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/profile/:userId'),
    access: 'public',
    rateLimit: 'read',
    summary: 'The profile of a user',
    params,
    answer: z.object({ displayname: z.string().optional(), avatar_url: z.string().optional() }),
    handle: async ({ params }) => {
      const found = await knownProfile(deps, params.userId);
      return { ...fieldOf('displayname', found.displayname), ...fieldOf('avatar_url', found.avatarUrl) };
    },
  });

export const displayname = (deps: ProfileDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/profile/:userId/displayname'),
    access: 'public',
    rateLimit: 'read',
    summary: 'The display name of a user',
    params,
    answer: z.object({ displayname: z.string().optional() }),
    handle: async ({ params }) =>
      fieldOf('displayname', (await knownProfile(deps, params.userId)).displayname),
  });

export const avatarUrl = (deps: ProfileDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/profile/:userId/avatar_url'),
    access: 'public',
    rateLimit: 'read',
    summary: 'The avatar of a user',
    params,
    answer: z.object({ avatar_url: z.string().optional() }),
    handle: async ({ params }) => fieldOf('avatar_url', (await knownProfile(deps, params.userId)).avatarUrl),
  });

export const setDisplayname = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: clientPaths('/profile/:userId/displayname'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Set the own display name',
    params,
    body: z.object({ displayname: optional(text(256)) }),
    answer: empty,
    handle: async ({ requester, params: { userId }, body }) => {
      requireSelf(requester, userId);
      await deps.bus.call(userapi.setProfile, { userId, displayname: body.displayname ?? null });
      return {};
    },
  });

export const setAvatarUrl = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path: clientPaths('/profile/:userId/avatar_url'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Set the own avatar',
    params,
    body: z.object({ avatar_url: optional(text(1000)) }),
    answer: empty,
    handle: async ({ requester, params: { userId }, body }) => {
      requireSelf(requester, userId);
      await deps.bus.call(userapi.setProfile, { userId, avatarUrl: body.avatar_url ?? null });
      return {};
    },
  });

/** Profiles of users of other servers are not known here: M_NOT_FOUND as for unknown ones. */
async function knownProfile({ userapi }: ProfileDeps, userId: string): Promise<Profile> {
  const found = await userapi.profile(userId);
  if (found === undefined) throw notFound('There is no profile of that user.');
  return found;
}

function fieldOf<Name extends string>(name: Name, value: string | null): Partial<Record<Name, string>> {
  const fields: Partial<Record<string, string>> = value === null ? {} : { [name]: value };
  return fields;
}
