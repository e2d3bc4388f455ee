import { z } from 'zod';

import { endpoint, type Endpoint } from '@seneschal/http';
import { software } from '@seneschal/observability';

/** Server-server API, "Server implementation". */
export const version = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/version',
    access: 'public',
    rateLimit: 'none',
    summary: 'The name and version of this server',
    answer: z.object({ server: z.object({ name: z.string(), version: z.string() }) }),
    handle: async () => ({ server: { ...software } }),
  });
