import type { Config } from '@seneschal/config';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

/** How a client finds the server, as `GET /.well-known/matrix/client` and logins tell it. */
export const clientDiscovery = z.object({ 'm.homeserver': z.object({ base_url: z.string() }) });

/** Undefined where nobody has said how clients reach this server. */
export function discoveryOf({
  public_base_url: address,
}: Pick<Config, 'public_base_url'>): z.infer<typeof clientDiscovery> | undefined {
  return address === null ? undefined : { 'm.homeserver': { base_url: address } };
}

/** `GET /.well-known/matrix/client`: where clients reach the server of this domain. */
export const clientWellKnown = (deps: { config: Pick<Config, 'public_base_url'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/.well-known/matrix/client',
    access: 'public',
    rateLimit: 'none',
    summary: 'Where clients reach the server of this domain',
    answer: clientDiscovery,
    handle: async () => {
      const found = discoveryOf(deps.config);
      if (found === undefined) throw notFound('Nothing is told of how to reach this server.');
      return found;
    },
  });
