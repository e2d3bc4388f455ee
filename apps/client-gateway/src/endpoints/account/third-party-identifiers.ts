import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

/** `GET /account/3pid`: addresses and numbers cannot be added here, so there are none. */
export const thirdPartyIdentifiers = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/account/3pid'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The addresses and telephone numbers of the user: there are none',
    answer: z.object({ threepids: z.array(z.never()) }),
    handle: async () => ({ threepids: [] }),
  });
