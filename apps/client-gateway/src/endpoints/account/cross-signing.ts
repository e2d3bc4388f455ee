import { z } from 'zod';

import { type CrossSigningKeys, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { type JsonObject, own } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, jsonObject, optional, text, userId } from './schemas.ts';
import { authenticate, uiaAnswers, uiaAuth } from './uia.ts';

const body = z.object({
  master_key: optional(jsonObject),
  self_signing_key: optional(jsonObject),
  user_signing_key: optional(jsonObject),
  auth: uiaAuth,
});

/** `POST /keys/device_signing/upload`: the password is asked for only where there are other keys already. */
export const uploadCrossSigningKeys = (deps: Pick<AccountDeps, 'bus' | 'userapi' | 'config'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/keys/device_signing/upload'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Publish cross-signing keys of the user',
    body,
    answer: empty,
    otherAnswers: uiaAnswers,
    handle: async ({ requester: { userId }, body: { auth, ...keys } }) => {
      const held = (await deps.userapi.crossSigningKeys([userId], userId)).get(userId);
      const needsProof = held !== undefined && !areHeld(held, keys);
      const proof = { auth, stages: ['m.login.password'] as const, operation: ['cross-signing'], userId };
      const refused = needsProof ? await authenticate(deps, proof) : undefined;
      if (refused !== undefined) return refused;
      await deps.bus.call(userapi.uploadCrossSigningKeys, {
        userId,
        masterKey: keys.master_key,
        selfSigningKey: keys.self_signing_key,
        userSigningKey: keys.user_signing_key,
        isAuthenticated: needsProof,
      });
      return {};
    },
  });

/** Whether the public keys are those that there are: a client that was not sure of the answer asks again. */
function areHeld(held: CrossSigningKeys, given: Omit<z.infer<typeof body>, 'auth'>): boolean {
  const pairs: [JsonObject | undefined, JsonObject | undefined][] = [
    [held.master, given.master_key],
    [held.selfSigning, given.self_signing_key],
    [held.userSigning, given.user_signing_key],
  ];
  const idOf = (key: JsonObject | undefined): string => Object.keys(own(key, 'keys') ?? {}).join();
  return pairs.every(([stored, one]) => one === undefined || idOf(stored) === idOf(one));
}

/** `POST /keys/signatures/upload`. */
export const uploadSignatures = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/keys/signatures/upload'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Add signatures to devices and master keys',
    body: z.record(userId, z.record(text(), jsonObject)),
    answer: z.object({ failures: z.record(z.string(), z.record(z.string(), jsonObject)) }),
    handle: ({ requester: { userId }, body: signed }) =>
      deps.bus.call(userapi.uploadSignatures, { userId, signed }),
  });
