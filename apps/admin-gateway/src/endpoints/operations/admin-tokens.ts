import { randomBytes } from 'node:crypto';

import type { CallBus } from '@seneschal/bus';
import { isNetwork } from '@seneschal/config';
import { adminScopes, type AdminToken, userapi, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint, hashToken, newAdminToken } from '@seneschal/http';
import { forbidden, invalidParam } from '@seneschal/matrix';
import { z } from 'zod';

export interface AdminTokenDeps {
  bus: CallBus;
  userapi: Pick<UserapiForAdmin, 'adminTokens'>;
}

const path = '/_seneschal/v1/admin-tokens';

const shape = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(adminScopes)),
  allowed_addresses: z.array(z.string()),
  created_by: z.string(),
  created_ts: z.number(),
  expires_ts: z.number().nullable(),
  last_used_ts: z.number().nullable(),
});

const body = z.object({
  name: z.string().min(1, 'is empty').max(100, 'is longer than 100 characters'),
  scopes: z.array(z.enum(adminScopes)).min(1, 'names no scope').max(adminScopes.length),
  expires_ts: z.number().int().nullish(),
  allowed_addresses: z
    .array(z.string().refine(isNetwork, 'is no address or network, such as 10.0.0.0/8'))
    .max(50)
    .nullish(),
});

/** Makes a token for a machine. The answer is the only place where the token itself ever stands. */
export const createAdminToken = (deps: AdminTokenDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Makes an admin token for a machine; the token is shown this once',
    body,
    answer: shape.extend({ token: z.string() }),
    handle: async ({ body: given, requester }) => {
      if (requester.adminToken !== undefined) throw forbidden('A token for a machine makes no others.');
      const expiresTs = given.expires_ts ?? null;
      if (expiresTs !== null && expiresTs <= Date.now()) throw invalidParam('expires_ts: is in the past.');
      const token = newAdminToken();
      const made = {
        id: randomBytes(9).toString('hex'),
        name: given.name,
        scopes: [...new Set(given.scopes)],
        addresses: given.allowed_addresses ?? [],
        createdBy: requester.userId,
        expiresTs,
      };
      const { createdTs } = await deps.bus.call(userapi.createAdminToken, {
        ...made,
        tokenHash: hashToken(token),
      });
      return { ...shown({ ...made, createdTs, lastUsedTs: null }), token };
    },
  });

export const listAdminTokens = (deps: AdminTokenDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The admin tokens of machines, without the tokens themselves',
    answer: z.object({ admin_tokens: z.array(shape) }),
    handle: async () => ({ admin_tokens: (await deps.userapi.adminTokens()).map(shown) }),
  });

export const revokeAdminToken = (deps: AdminTokenDeps): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: `${path}/:id`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Revokes the admin token of a machine, at once',
    params: z.object({ id: z.string() }),
    answer: z.object({}),
    handle: async ({ params: { id } }) => deps.bus.call(userapi.revokeAdminToken, { id }),
  });

function shown(token: AdminToken): z.infer<typeof shape> {
  return {
    id: token.id,
    name: token.name,
    scopes: token.scopes,
    allowed_addresses: token.addresses,
    created_by: token.createdBy,
    created_ts: token.createdTs,
    expires_ts: token.expiresTs,
    last_used_ts: token.lastUsedTs,
  };
}
