import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { identifier } from '../rooms/shapes.ts';

const params = z.object({ protocol: identifier });
const common = { method: 'GET', access: 'user', rateLimit: 'read' } as const;

/**
 * `GET /thirdparty/…`: without bridges no protocol is known, and nothing is found by one. Applications ask for the
 * protocols as they start, and some show an error when that is not known.
 */
export const thirdParty = (): Endpoint[] => [
  endpoint({
    ...common,
    path: clientPaths('/thirdparty/protocols'),
    summary: 'The networks that bridges lead to: there are none',
    answer: z.object({}),
    handle: async () => ({}),
  }),
  endpoint({
    ...common,
    path: clientPaths('/thirdparty/protocol/:protocol'),
    summary: 'A network that a bridge leads to: there are none',
    params,
    answer: z.object({}),
    handle: async () => {
      throw notFound('There is no bridge to such a network.');
    },
  }),
  ...nothing('location', 'Rooms of other networks: there are none'),
  ...nothing('user', 'Users of other networks: there are none'),
];

function nothing(what: string, summary: string): Endpoint[] {
  const shared = { ...common, summary, answer: z.array(z.never()), handle: async () => [] };
  return [
    endpoint({ ...shared, path: clientPaths(`/thirdparty/${what}`) }),
    endpoint({ ...shared, path: clientPaths(`/thirdparty/${what}/:protocol`), params }),
  ];
}
