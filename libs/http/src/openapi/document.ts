import { z } from 'zod';

import type { Endpoint } from '../endpoint.ts';
import { parametersOf, pathTemplates } from './parameters.ts';
import { jsonSchema } from './schema.ts';
import type { JsonSchema, OpenApiDocument, Operation, Responses } from './types.ts';

const error = { $ref: '#/components/schemas/Error' };
const matrixError = z.looseObject({ errcode: z.string(), error: z.string() });

/** Describes endpoints as OpenAPI 3.1. Whatever is declared is in it, and nothing else. */
export function openApiDocument(
  endpoints: readonly Endpoint[],
  info: { title: string; version: string },
): OpenApiDocument {
  const templateOf = pathTemplates(endpoints);
  const paths: OpenApiDocument['paths'] = {};
  for (const endpoint of endpoints) {
    for (const path of endpoint.paths) {
      const template = templateOf(path);
      const methods = (paths[template] ??= {});
      methods[endpoint.method.toLowerCase()] = operation(endpoint, path, template);
    }
  }
  return {
    openapi: '3.1.0',
    info: { ...info, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: [...new Set(endpoints.flatMap(({ paths: all }) => all.map(tagOf)))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: jsonSchema(matrixError, 'output') },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(endpoint: Endpoint, path: string, template: string): Operation {
  return {
    operationId: operationIdOf(endpoint.method, template),
    summary: endpoint.summary,
    tags: [tagOf(path)],
    'x-access': endpoint.access,
    ...(endpoint.access === 'public' ? {} : { security: [{ accessToken: [] }] }),
    parameters: parametersOf(endpoint, path, template),
    ...(endpoint.body === undefined ? {} : { requestBody: bodyOf(endpoint, endpoint.body) }),
    responses: responsesOf(endpoint),
  };
}

function bodyOf(endpoint: Endpoint, body: z.ZodType): Operation['requestBody'] {
  return {
    required: !endpoint.bodyOptional,
    content: { 'application/json': { schema: jsonSchema(body, 'input') } },
  };
}

function responsesOf(endpoint: Endpoint): Responses {
  const good = endpoint.produces === 'application/json' ? jsonSchema(endpoint.answer, 'output') : undefined;
  const responses: Responses = {
    '200': {
      description: endpoint.produces === 'none' ? 'Done; the body is empty.' : endpoint.summary,
      ...(endpoint.produces === 'none'
        ? {}
        : { content: { [endpoint.produces]: { schema: good ?? textSchema(endpoint) } } }),
    },
    default: {
      description: 'An error, in the form of the Matrix specification.',
      content: { 'application/json': { schema: error } },
    },
  };
  for (const [status, one] of Object.entries(endpoint.otherAnswers)) {
    const schema = jsonSchema(one, 'output');
    // The checks that come before the handler may answer with the same status.
    const either = Number(status) < 400 ? schema : { anyOf: [error, schema] };
    responses[status] = {
      description: `Answered with status ${status}.`,
      content: { 'application/json': { schema: either } },
    };
  }
  return responses;
}

/** `POST /_dendrite/admin/evacuateRoom/{roomId}` → `postDendriteAdminEvacuateRoomByRoomId`. */
function operationIdOf(method: string, template: string): string {
  const words = template
    .split('/')
    .slice(1)
    .flatMap((segment) => (segment === '' ? ['slash'] : segment.replace('{', 'by-').split(/[^A-Za-z0-9]+/)));
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** The first two segments say which API it is: `_matrix/client`, `_dendrite/admin`, `_seneschal/v1`. */
function tagOf(path: string): string {
  return path.split('/').slice(1, 3).join('/');
}

/** What comes event by event is no one text, and OpenAPI 3.1 has no words for it. */
function textSchema({ produces }: Endpoint): JsonSchema {
  return produces === 'text/event-stream' ? {} : { type: 'string' };
}
