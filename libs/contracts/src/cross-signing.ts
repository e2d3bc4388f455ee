import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/**
 * `POST /keys/device_signing/upload`. M_INVALID_PARAM for keys of another user or usage, M_INVALID_SIGNATURE for
 * keys that the master key did not sign, M_MISSING_PARAM without any master key. M_FORBIDDEN when there are
 * other keys already and the user has not proven who they are.
 */
export const uploadCrossSigningKeys = command('userapi', 'uploadCrossSigningKeys', {
  input: z.object({
    userId: z.string(),
    masterKey: jsonObject.optional(),
    selfSigningKey: jsonObject.optional(),
    userSigningKey: jsonObject.optional(),
    isAuthenticated: z.boolean(),
  }),
  output: z.object({}),
});

const failure = z.object({ errcode: z.string(), error: z.string() });

/** `POST /keys/signatures/upload`: signed devices and master keys, by user and by device ID or public key. */
export const uploadSignatures = command('userapi', 'uploadSignatures', {
  input: z.object({
    userId: z.string(),
    signed: z.record(z.string(), z.record(z.string(), jsonObject)),
  }),
  output: z.object({ failures: z.record(z.string(), z.record(z.string(), failure)) }),
});

/** A user's cross-signing keys as others may see them; `userSigning` is for the user alone. */
export interface CrossSigningKeys {
  master?: JsonObject;
  selfSigning?: JsonObject;
  userSigning?: JsonObject;
}
