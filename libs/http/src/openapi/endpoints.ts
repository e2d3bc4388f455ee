import { z } from 'zod';

import { software } from '@seneschal/observability';

import { endpoint, type Endpoint, Reply } from '../endpoint.ts';
import { openApiDocument } from './document.ts';
import { openApiPage, pagePolicy } from './page.ts';

/**
 * Endpoints together with the two that describe all of them, these two included: `/_seneschal/v1/openapi.json`
 * for programs and `/_seneschal/v1/docs` for people. They tell what the source tells, so anybody may read them.
 */
export function withDescription(endpoints: readonly Endpoint[]): Endpoint[] {
  const all: Endpoint[] = [...endpoints];
  let document: ReturnType<typeof openApiDocument> | undefined;
  const describe = (): ReturnType<typeof openApiDocument> =>
    (document ??= openApiDocument(all, { title: software.name, version: software.version }));
  all.push(
    endpoint({
      method: 'GET',
      path: '/_seneschal/v1/openapi.json',
      access: 'public',
      rateLimit: 'read',
      summary: 'Everything that is served here, as OpenAPI 3.1',
      answer: z.looseObject({ openapi: z.literal('3.1.0') }),
      handle: async () => ({ ...describe() }),
    }),
    endpoint({
      method: 'GET',
      path: '/_seneschal/v1/docs',
      access: 'public',
      rateLimit: 'read',
      summary: 'Everything that is served here, as a page to browse',
      answer: z.object({}),
      produces: 'text/html',
      handle: async () => new Reply(200, openApiPage(describe()), { 'Content-Security-Policy': pagePolicy }),
    }),
  );
  return all;
}
