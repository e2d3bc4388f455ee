import { z } from 'zod';

import { command } from './command.ts';

/** What a machine's token may reach; each endpoint for administrators is in one of them. */
export const adminScopes = ['read', 'users', 'rooms', 'media', 'federation', 'server'] as const;
export type AdminScope = (typeof adminScopes)[number];

/** A token for a machine, without the token itself. It acts for the administrator who made it. */
export interface AdminToken {
  id: string;
  name: string;
  scopes: AdminScope[];
  /** Addresses and networks from which it may be used; empty: from anywhere. */
  addresses: string[];
  createdBy: string;
  createdTs: number;
  expiresTs: number | null;
  lastUsedTs: number | null;
}

/** Makes a token for a machine. M_FORBIDDEN when `createdBy` is no administrator (any more). */
export const createAdminToken = command('userapi', 'createAdminToken', {
  input: z.object({
    id: z.string(),
    /** The SHA-256 (base64url) of the token. */
    tokenHash: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(adminScopes)),
    addresses: z.array(z.string()),
    createdBy: z.string(),
    expiresTs: z.number().nullable(),
  }),
  output: z.object({ createdTs: z.number() }),
});

/** Revokes a token: its next request is refused. M_NOT_FOUND when there is none of this ID. */
export const revokeAdminToken = command('userapi', 'revokeAdminToken', {
  input: z.object({ id: z.string() }),
  output: z.object({}),
});

/** What gateways saw, some seconds' worth at a time. */
export const recordAdminTokenUse = command('userapi', 'recordAdminTokenUse', {
  input: z.object({ uses: z.array(z.object({ id: z.string(), ts: z.number() })) }),
  output: z.object({}),
});
