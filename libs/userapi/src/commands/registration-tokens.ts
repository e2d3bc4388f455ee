import { randomInt } from 'node:crypto';

import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import type { RegistrationToken, userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { invalidParam, MatrixError, notFound } from '@seneschal/matrix';

import { deleteToken, insertToken, lockToken, toToken } from '../storage/registration-tokens.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type CreateInput = z.infer<typeof userapi.createRegistrationToken.input>;
type UpdateInput = z.infer<typeof userapi.updateRegistrationToken.input>;

export interface RegistrationTokenDeps {
  db: UserapiDb;
}

/** Client-server API, "Token-authenticated registration": a token is 1 to 64 of these. */
const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-';

/** Random tokens that are tried before the caller is told to take a greater length. */
const attempts = 10;

/** Makes a token. 409 M_INVALID_PARAM when the one asked for exists, or all random ones that were tried. */
export async function createRegistrationToken(
  deps: RegistrationTokenDeps,
  input: CreateInput,
  context: Pick<CommandContext, 'remember'>,
): Promise<RegistrationToken> {
  return transact(deps.db, async (trx) => {
    const token = await insertNew(trx, input);
    if (token === undefined) {
      const problem =
        input.token === undefined ? 'All tokens of this length are taken.' : 'The token exists.';
      throw new MatrixError(409, 'M_INVALID_PARAM', `${problem} Choose another.`);
    }
    const made = {
      token,
      usesAllowed: input.usesAllowed,
      pending: 0,
      completed: 0,
      expiryTime: input.expiryTime,
    };
    await context.remember(trx, made);
    return made;
  });
}

async function insertNew(trx: UserapiTransaction, input: CreateInput): Promise<string | undefined> {
  for (let attempt = 1; attempt <= (input.token === undefined ? attempts : 1); attempt += 1) {
    const token = input.token ?? randomToken(input.length);
    const isNew = await insertToken(trx, {
      token,
      uses_allowed: input.usesAllowed,
      expiry_ts: input.expiryTime,
      created_by: input.createdBy,
      created_ts: Date.now(),
    });
    if (isNew) return token;
  }
  return undefined;
}

function randomToken(length: number): string {
  return Array.from({ length }, () => characters[randomInt(characters.length)]).join('');
}

/** Changes what is given and leaves the rest. M_NOT_FOUND, M_INVALID_PARAM. */
export async function updateRegistrationToken(
  deps: RegistrationTokenDeps,
  input: UpdateInput,
): Promise<RegistrationToken> {
  return transact(deps.db, async (trx) => {
    const row = await lockToken(trx, input.token);
    if (row === undefined) throw noSuchToken();
    const { usesAllowed = row.uses_allowed, expiryTime = row.expiry_ts } = input;
    // Admin tools send the whole token back, also when it has expired.
    if (expiryTime !== null && expiryTime !== row.expiry_ts && expiryTime < Date.now()) {
      throw invalidParam('expiry_time: lies in the past.');
    }
    await trx
      .updateTable('userapi_registration_tokens')
      .set({ uses_allowed: usesAllowed, expiry_ts: expiryTime })
      .where('token_nid', '=', row.token_nid)
      .execute();
    return toToken({ ...row, uses_allowed: usesAllowed, expiry_ts: expiryTime });
  });
}

/** M_NOT_FOUND when there is no such token, so also the second time. */
export async function deleteRegistrationToken(
  deps: RegistrationTokenDeps,
  { token }: { token: string },
): Promise<Record<string, never>> {
  if (!(await transact(deps.db, (trx) => deleteToken(trx, token)))) throw noSuchToken();
  return {};
}

function noSuchToken(): MatrixError {
  return notFound('There is no such registration token.');
}
