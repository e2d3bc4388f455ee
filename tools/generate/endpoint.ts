import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { camelCase, type Skeleton } from './files.ts';

interface Kind {
  access: 'admin' | 'user' | 'public';
  rateLimit: 'admin' | 'write' | 'read';
  /** The path as source text, and as a request names it. */
  path: (endpoint: string) => string;
  requested: (endpoint: string) => string;
}

const kinds: Record<string, Kind> = {
  'admin-gateway': {
    access: 'admin',
    rateLimit: 'admin',
    path: (endpoint) => `'/_seneschal/v1/${endpoint}/:id'`,
    requested: (endpoint) => `/_seneschal/v1/${endpoint}/1`,
  },
  'client-gateway': {
    access: 'user',
    rateLimit: 'write',
    path: (endpoint) => `clientPaths('/${endpoint}/:id')`,
    requested: (endpoint) => `/_matrix/client/v3/${endpoint}/1`,
  },
  'federation-gateway': {
    access: 'public',
    rateLimit: 'read',
    path: (endpoint) => `'/_matrix/federation/v1/${endpoint}/:id'`,
    requested: (endpoint) => `/_matrix/federation/v1/${endpoint}/1`,
  },
};

/** An endpoint of a gateway, and its test over HTTP. */
export function newEndpoint(root: string, gateway: string, name: string): Skeleton {
  const kind = kinds[gateway];
  if (kind === undefined) throw new Error(`The gateways are ${Object.keys(kinds).join(', ')}.`);
  const folder = `apps/${gateway}/src/endpoints`;
  if (!existsSync(join(root, folder))) throw new Error(`${folder} is missing.`);
  const endpoint = camelCase(name);
  return {
    files: {
      [`${folder}/${name}.ts`]: source(kind, endpoint),
      [`apps/${gateway}/test/${name}.test.ts`]: test(kind, endpoint),
    },
    next: [
      `write the path, the schemas and the summary in ${folder}/${name}.ts`,
      `list ${endpoint} beside the other endpoints of ${gateway}; until then its test answers 404`,
    ],
  };
}

function source({ access, rateLimit, path }: Kind, endpoint: string): string {
  const clientPaths = path(endpoint).startsWith('clientPaths') ? 'clientPaths, ' : '';
  return `import { z } from 'zod';

import { ${clientPaths}endpoint, type Endpoint } from '@seneschal/http';

/** What it is for, and where it comes from. */
export const ${endpoint} = (): Endpoint =>
  endpoint({
    method: 'POST',
    path: ${path(endpoint)},
    access: '${access}',
    rateLimit: '${rateLimit}',
    summary: 'What it does, in one line',
    params: z.object({ id: z.string() }),
    answer: z.object({ id: z.string() }),
    handle: async ({ params: { id } }) => ({ id }),
  });
`;
}

function test({ access, requested }: Kind, endpoint: string): string {
  const user =
    access === 'public'
      ? ''
      : `const user = await world.register('alice'${access === 'admin' ? ', { admin: true }' : ''});`;
  const token = access === 'public' ? '' : ', { token: user.token }';
  return `import { startWorld, type World } from '@seneschal/testing';

describe('${endpoint}', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  it('answers', async () => {
    ${user}
    const answer = await world.request('POST', '${requested(endpoint)}'${token});
    expect([answer.status, answer.body]).toEqual([200, { id: '1' }]);
  });
});
`;
}
