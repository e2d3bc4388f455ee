import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

/** Of all of them the media module is not there: clients are answered M_UNRECOGNIZED whichever version they go by. */
const versions = ['r0.6.1', ...Array.from({ length: 18 }, (_, index) => `v1.${index + 1}`)];

/** What clients find by its number in a proposal. */
const unstableFeatures = { 'org.matrix.simplified_msc3575': true };

/** `GET /_matrix/client/versions`. */
export const clientVersions = (): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/client/versions',
    access: 'public',
    rateLimit: 'none',
    summary: 'The versions of the specification that this server follows',
    answer: z.object({ versions: z.array(z.string()), unstable_features: z.record(z.string(), z.boolean()) }),
    handle: async () => ({ versions, unstable_features: unstableFeatures }),
  });
