import { z } from 'zod';

import { profileContent, type UserapiForFederation } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound, own } from '@seneschal/matrix';

import { requireLocal, userId } from './local-user.ts';

/** Server-server API, `GET /query/profile`. */
export const queryProfile = (deps: {
  userapi: Pick<UserapiForFederation, 'profile'>;
  config: { server_name: string };
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/query/profile',
    access: 'server',
    rateLimit: 'none',
    summary: 'The profile of a user of this server',
    query: z.object({ user_id: userId, field: z.string().optional() }),
    answer: z.looseObject({ displayname: z.string().optional(), avatar_url: z.string().optional() }),
    handle: async ({ query: { user_id: asked, field } }) => {
      requireLocal(asked, deps.config.server_name);
      const profile = await deps.userapi.profile(asked);
      if (profile === undefined) throw notFound('There is no such user.');
      const whole = profileContent(profile);
      if (field === undefined) return whole;
      const value = own(whole, field);
      return value === undefined ? {} : { [field]: value };
    },
  });
