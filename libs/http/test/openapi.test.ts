import { z } from 'zod';

import { endpoint, type Endpoint, type OpenApiDocument, Reply, withDescription } from '../src/index.ts';
import { withServer } from './server.ts';

const room = endpoint({
  method: 'POST',
  path: ['/v3/rooms/:roomId', '/r0/rooms/:roomId'],
  access: 'user',
  rateLimit: 'none',
  summary: 'Does <something> to a room',
  params: z.object({ roomId: z.string().max(255) }),
  query: z.object({ from: z.string(), limit: z.coerce.number().int().max(10).default(5) }),
  body: z.object({ reason: z.string().optional() }),
  bodyOptional: true,
  answer: z.object({ done: z.boolean() }),
  otherAnswers: { 202: z.object({ job: z.string() }) },
  handle: async () => ({ done: true }),
});

async function documentOf(endpoints: readonly Endpoint[]): Promise<OpenApiDocument> {
  let document: OpenApiDocument | undefined;
  await withServer(withDescription(endpoints), async (server) => {
    document = (await server.send('GET', '/_seneschal/v1/openapi.json')).body as unknown as OpenApiDocument;
  });
  return document!;
}

describe('withDescription', () => {
  it('tells of parameters, body and answers what the schemas say', async () => {
    const { paths } = await documentOf([room]);
    const operation = paths['/v3/rooms/{roomId}']?.['post'];
    expect(operation?.parameters).toEqual([
      { name: 'roomId', in: 'path', required: true, schema: { type: 'string', maxLength: 255 } },
      { name: 'from', in: 'query', required: true, schema: { type: 'string' } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: expect.objectContaining({ default: 5 }) as object,
      },
    ]);
    expect(operation?.requestBody?.required).toBe(false);
    expect(Object.keys(operation?.responses ?? {})).toEqual(['200', '202', 'default']);
    expect(operation?.security).toEqual([{ accessToken: [] }]);
    expect(operation?.operationId).toBe('postV3RoomsByRoomId');
    expect(paths['/r0/rooms/{roomId}']?.['post']?.operationId).toBe('postR0RoomsByRoomId');
  });

  it('writes paths that differ in the names of their parameters alone as one', async () => {
    const get = endpoint({
      method: 'GET',
      path: '/v3/rooms/:room',
      access: 'public',
      rateLimit: 'none',
      summary: 'Reads',
      params: z.object({ room: z.string().min(1) }),
      answer: z.object({}),
      handle: async () => ({}),
    });
    const { paths } = await documentOf([room, get]);
    expect(Object.keys(paths['/v3/rooms/{roomId}'] ?? {})).toEqual(['post', 'get']);
    expect(paths['/v3/rooms/{roomId}']?.['get']?.parameters[0]).toMatchObject({
      name: 'roomId',
      schema: { minLength: 1 },
    });
  });

  it('describes itself, and escapes what the page shows', async () => {
    await withServer(withDescription([room]), async (server) => {
      const page = await fetch(`${server.url}/_seneschal/v1/docs`);
      const text = await page.text();
      expect(text).toContain('Does &#60;something&#62; to a room');
      expect(text).toContain('/_seneschal/v1/openapi.json');
      expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    });
  });
});

describe('an answer', () => {
  const answering = (produces: Endpoint['produces'], reply: () => Reply): Endpoint =>
    endpoint({
      method: 'GET',
      path: '/x',
      access: 'public',
      rateLimit: 'none',
      summary: 'Answers',
      answer: z.object({ n: z.number() }),
      produces,
      handle: async () => reply(),
    });

  it('is streamed when it comes piece by piece', async () => {
    const pieces = async function* (): AsyncGenerator<string> {
      yield '{"n":1}\n';
      yield '{"n":2}\n';
    };
    const streaming = answering('application/x-ndjson', () => new Reply(200, pieces()));
    await withServer([streaming], async (server) => {
      const answer = await fetch(`${server.url}/x`);
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      expect(await answer.text()).toBe('{"n":1}\n{"n":2}\n');
    });
  });

  it('that fails half-way breaks off, so that nobody takes it for whole', async () => {
    const pieces = async function* (): AsyncGenerator<string> {
      yield 'one\n';
      throw new Error('the disk is gone');
    };
    const streaming = answering('application/x-ndjson', () => new Reply(200, pieces()));
    await withServer([streaming], async (server) => {
      await expect(fetch(`${server.url}/x`).then((answer) => answer.text())).rejects.toThrow();
      expect(server.logs.join()).not.toContain('unhandled');
    });
  });

  it('of a status or a type that is not declared is found in the tests', async () => {
    for (const one of [
      answering('application/json', () => new Reply(202, { n: 1 })),
      answering('application/json', () => new Reply(200, 'text')),
      answering('text/plain', () => new Reply(200, { n: 1 })),
      answering('none', () => new Reply(200, { n: 1 })),
    ]) {
      await withServer([one], async (server) => expect((await server.send('GET', '/x')).status).toBe(500));
    }
  });
});
