import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { empty } from './shapes.ts';

/** `GET /voip/turnServer`: there is none. */
export const turnServer = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/voip/turnServer'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The TURN server for calls',
    answer: empty,
    handle: async () => ({}),
  });
