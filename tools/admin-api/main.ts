import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { adminGatewayEndpoints } from '@seneschal/admin-gateway';
import { type OpenApiDocument, openApiDocument, withDescription } from '@seneschal/http';
import { software } from '@seneschal/observability';
import { healthEndpoints } from '@seneschal/service';

/**
 * Stands for whatever endpoints are given to work with, and for every setting: has every property, can be called
 * and made anew, and is true, so that what is only served where it is switched on is described as well.
 */
const anything: object = new Proxy(Object, {
  get: (_, name) => {
    if (name === Symbol.toPrimitive) return () => 'anything';
    return name === 'then' ? undefined : anything;
  },
  apply: () => anything,
  construct: () => anything,
});

/**
 * The admin API as the declared endpoints describe it; the build writes it to dist/admin-api.json, from which
 * the command line has its subcommands. Endpoints are data: none of their handlers runs here.
 */
export function adminApi(): OpenApiDocument {
  const endpoints = [
    ...adminGatewayEndpoints(anything as Parameters<typeof adminGatewayEndpoints>[0]),
    ...healthEndpoints(anything as Parameters<typeof healthEndpoints>[0]),
  ];
  return openApiDocument(withDescription(endpoints), {
    title: software.name,
    version: software.version,
  });
}

function isRunDirectly(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isRunDirectly()) process.stdout.write(JSON.stringify(adminApi()));
