import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';

import type { OpenApiDocument, Operation } from '@seneschal/http';
import { startWorld, type TestAnswer, type TestClient, type World } from '@seneschal/testing';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const documentPath = '/_seneschal/v1/openapi.json';

interface One {
  method: string;
  path: string;
  operation: Operation;
}

function operationsOf(document: OpenApiDocument): One[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

function shapeOf(path: string): string {
  return path.replace(/:\w+|\{\w+\}/g, '{}');
}

/** Every path that stands in the source of a gateway. */
function pathsInSources(): string[] {
  const folders = ['apps', 'libs/service', 'libs/http'].map((folder) => join(root, folder));
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /(^|\/)src\/.*(endpoints|health)\b.*\.ts$/.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8')),
  );
  return sources.flatMap((source) => [
    ...[...source.matchAll(/path(?::| =) \[?'(\/_(?:matrix|dendrite|synapse|seneschal)\/[^'\s]+)'/g)].map(
      ([, path]) => path!,
    ),
    ...[...source.matchAll(/clientPaths\('([^']+)'\)/g)].map(([, path]) => `/_matrix/client/v3${path!}`),
  ]);
}

describe('the OpenAPI document', () => {
  let world: World;
  let admin: TestClient;
  let document: OpenApiDocument;
  beforeAll(async () => {
    world = await startWorld({ settings: { SENESCHAL_SERVER_NOTICES: 'on' } });
    admin = await world.register('admin', { admin: true });
    document = (await world.request('GET', documentPath)).body as unknown as OpenApiDocument;
  });
  afterAll(() => world.stop());

  it('is OpenAPI 3.1', async () => {
    const result = await new Validator().validate({ ...document });
    expect([result.valid, result.valid ? [] : result.errors]).toEqual([true, []]);
    expect(document.openapi).toBe('3.1.0');
  });

  it('has an entry for every path that stands in the source of a gateway', () => {
    const described = new Set(Object.keys(document.paths).map(shapeOf));
    const found = pathsInSources();
    expect(found.length).toBeGreaterThan(70);
    expect(found.filter((path) => !described.has(shapeOf(path)))).toEqual([]);
  });

  it('has no two operations of one ID, and no entry for what is not served', async () => {
    const operations = operationsOf(document);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const answers = await Promise.all(
      operations
        .filter(({ operation }) => operation['x-access'] !== 'public')
        .map(({ method, path }) => world.request(method, filled(path))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  });

  it('knows every method of a path', async () => {
    const methods = ['GET', 'POST', 'PUT', 'DELETE'];
    for (const [path, described] of Object.entries(document.paths)) {
      const absent = methods.filter((method) => !(method.toLowerCase() in described));
      for (const method of absent) {
        expect([method, path, (await world.request(method, filled(path))).status]).toEqual([
          method,
          path,
          405,
        ]);
      }
    }
  });

  it('fits what every operation answers, to nonsense too, and nothing answers 5xx', async () => {
    const check = checker(document);
    const ask = async (one: One): Promise<void> => {
      // Some of these end the session of the one who asks.
      const asker = /logout|deactivate/.test(one.path) ? await another(world) : admin;
      for (const body of [undefined, '{', {}, { password: 5 }]) {
        if (one.method === 'GET' && body !== undefined) continue;
        const answer = await asker.request(one.method, filled(one.path), body === undefined ? {} : { body });
        const id = one.operation.operationId;
        expect([id, answer.status < 500 || answer.text]).toEqual([id, true]);
        check(one, answer);
      }
    };
    // What has an older path is the same under it.
    const operations = operationsOf(document).filter(({ path }) => !path.startsWith('/_matrix/client/r0/'));
    for (let from = 0; from < operations.length; from += 16) {
      await Promise.all(operations.slice(from, from + 16).map(ask));
    }
  }, 120_000);

  it('fits what is answered to nonsense in the query of what administrators read', async () => {
    const check = checker(document);
    const reads = operationsOf(document).filter(
      ({ method, operation }) => method === 'GET' && operation['x-access'] === 'admin',
    );
    const asked = reads.flatMap((one) =>
      one.operation.parameters
        .filter(({ in: place }) => place === 'query')
        .flatMap(({ name }) =>
          ['\0', '-1', '7105003775065', '9'.repeat(15), 'x'.repeat(3000)].map((value) => ({
            one,
            name,
            value,
          })),
        ),
    );
    expect(asked.length).toBeGreaterThan(100);
    for (const { one, name, value } of asked) {
      const answer = await admin.request(one.method, filled(one.path), { query: { [name]: value } });
      expect([one.path, name, value, answer.status < 500]).toEqual([one.path, name, value, true]);
      check(one, answer);
    }
  });

  it('comes as a page that loads nothing', async () => {
    const page = await world.request('GET', '/_seneschal/v1/docs');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(page.text).toContain('/_dendrite/admin/evacuateRoom/{roomId}');
    expect(page.text).not.toMatch(/<script|src=|https?:\/\//i);
  });

  it('comes as a page that shows every operation, in a style that its policy lets through', async () => {
    const page = await world.request('GET', '/_seneschal/v1/docs');
    for (const { operation } of operationsOf(document)) {
      expect(page.text).toContain(`<details id="${operation.operationId}">`);
    }
    for (const { name } of document.tags) {
      expect(page.text).toContain(`<a href="#${name}">`);
      expect(page.text).toContain(`<h2 id="${name}">`);
    }
    const style = /<style>(.*?)<\/style>/s.exec(page.text)?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64');
    expect(page.headers.get('content-security-policy')).toContain(`style-src 'sha256-${digest}'`);
  });
});

let count = 0;
async function another(world: World): Promise<TestClient> {
  count += 1;
  return world.register(`admin${count}`, { admin: true });
}

function filled(path: string): string {
  return path.replace(/\{\w+\}/g, 'nonsense');
}

/** Holds an answer against what the document says of its status, by JSON Schema. */
function checker(document: OpenApiDocument): (one: One, answer: TestAnswer) => void {
  const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', ...document });
  return ({ method, path, operation }, answer) => {
    const key = String(answer.status) in operation.responses ? String(answer.status) : 'default';
    const content = Object.keys(operation.responses[key]?.content ?? {})[0];
    if (content !== 'application/json') return;
    const pointer = ['paths', path, method.toLowerCase(), 'responses', key, 'content', content, 'schema'];
    const escaped = pointer.map((part) =>
      encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
    );
    const validate = ajv.getSchema(`api#/${escaped.join('/')}`);
    expect(validate).toBeDefined();
    expect([operation.operationId, answer.status, validate?.(answer.body), validate?.errors]).toEqual([
      operation.operationId,
      answer.status,
      true,
      null,
    ]);
  };
}
