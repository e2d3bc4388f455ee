import { z } from 'zod';

import { serverKeys } from '@seneschal/federation';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { Signer } from '@seneschal/matrix';

const keys = z.record(z.string(), z.object({ key: z.string() }));

/** Server-server API, "Publishing Keys". */
export const serverKey = (deps: { signer: Signer }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/key/v2/server',
    access: 'public',
    rateLimit: 'none',
    summary: 'The keys that this server signs with',
    answer: z.object({
      server_name: z.string(),
      valid_until_ts: z.number(),
      verify_keys: keys,
      old_verify_keys: z.record(z.string(), z.object({ key: z.string(), expired_ts: z.number() })),
      signatures: z.record(z.string(), z.record(z.string(), z.string())),
    }),
    handle: async () => serverKeys(deps.signer, Date.now()),
  });
