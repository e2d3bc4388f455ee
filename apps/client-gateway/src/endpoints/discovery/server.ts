import type { Config } from '@seneschal/config';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

/** Server-server API, `GET /.well-known/matrix/server`: where other servers reach the one of this domain. */
export const serverWellKnown = (deps: { config: Pick<Config, 'delegated_server'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/.well-known/matrix/server',
    access: 'public',
    rateLimit: 'none',
    summary: 'Where other servers reach the server of this domain',
    answer: z.object({ 'm.server': z.string() }),
    handle: async () => {
      const { delegated_server: server } = deps.config;
      if (server === null) throw notFound('This server is reached under its own name.');
      return { 'm.server': server };
    },
  });
