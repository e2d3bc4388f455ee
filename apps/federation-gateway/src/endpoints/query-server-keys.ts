import { z } from 'zod';

import type { FederationForGateways } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { badJson, invalidParam, isJsonObject, isServerName, type JsonObject } from '@seneschal/matrix';

interface Deps {
  servers: Pick<FederationForGateways, 'notarisedKeys'>;
}

const maximumServers = 100;
const common = { access: 'public', rateLimit: 'keys' } as const;
const answer = z.object({ server_keys: z.array(z.custom<JsonObject>(isJsonObject)) });
const serverName = z.string().refine(isServerName, 'is not a server name');
const time = z.number().int().min(0);

/** Server-server API, `GET /_matrix/key/v2/query/{serverName}`. */
export const queryServerKey = ({ servers }: Deps): Endpoint =>
  endpoint({
    ...common,
    method: 'GET',
    path: '/_matrix/key/v2/query/:serverName',
    summary: 'The keys of another server, as a notary',
    params: z.object({ serverName }),
    query: z.object({
      minimum_valid_until_ts: z
        .string()
        .regex(/^\d{1,15}$/, 'is not a time')
        .transform(Number)
        .optional(),
    }),
    answer,
    handle: async ({ params, query }) => {
      const until = query.minimum_valid_until_ts ?? Date.now();
      return { server_keys: await servers.notarisedKeys(new Map([[params.serverName, until]])) };
    },
  });

/** Server-server API, `POST /_matrix/key/v2/query`. Which keys of a server are named does not matter: all are answered. */
export const queryServerKeys = ({ servers }: Deps): Endpoint =>
  endpoint({
    ...common,
    method: 'POST',
    path: '/_matrix/key/v2/query',
    summary: 'The keys of other servers, as a notary',
    body: z.object({
      server_keys: z.record(
        z.string(),
        z.record(z.string(), z.object({ minimum_valid_until_ts: time.nullish() })),
      ),
    }),
    answer,
    handle: async ({ body }) => {
      const asked = Object.entries(body.server_keys);
      if (asked.length > maximumServers) throw badJson(`More than ${maximumServers} servers are asked for.`);
      const unnamed = asked.find(([name]) => !isServerName(name));
      if (unnamed !== undefined) throw invalidParam('A key of server_keys is not a server name.');
      const wanted = asked.map(([name, keys]) => {
        const times = Object.values(keys).map((key) => key.minimum_valid_until_ts ?? Date.now());
        return [name, times.length === 0 ? Date.now() : Math.max(...times)] as const;
      });
      return { server_keys: await servers.notarisedKeys(new Map(wanted)) };
    },
  });
