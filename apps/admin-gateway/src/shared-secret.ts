import { createHmac, timingSafeEqual } from 'node:crypto';

import { badJson, forbidden, invalidParam, invalidUsername } from '@seneschal/matrix';
import { z } from 'zod';

/** A string that a client may leave out or send as null; Dendrite's clients do both. */
const text = (maximumLength: number): z.ZodType<string> =>
  z
    .string()
    .max(maximumLength, `is longer than ${maximumLength} characters`)
    .nullish()
    .transform((value) => value ?? '');

/** Names and passwords have their own rules; this is beyond all of them. */
const long = 65_536;

/** The fields of a registration besides its nonce. */
const registration = z.object({
  username: text(long),
  password: text(long),
  displayname: text(256),
  user_type: text(64),
  admin: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  mac: text(1024).refine((mac) => /^([0-9a-f]{2})*$/i.test(mac), 'is not hexadecimal'),
});

export type Registration = z.output<typeof registration>;

/** Reads the fields of a registration. Throws M_BAD_JSON for wrong types, M_INVALID_… for a NUL in a field. */
export function readRegistration(body: unknown): Registration {
  const result = registration.safeParse(body);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw badJson(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
  }
  // The MAC joins its fields with NUL: one inside a field would let it stand for other fields.
  const { username, password, displayname, user_type: userType } = result.data;
  if (username.includes('\0')) throw invalidUsername('The user name holds a NUL character.');
  if ([password, displayname, userType].some((field) => field.includes('\0'))) {
    throw invalidParam('A field holds a NUL character.');
  }
  return result.data;
}

/**
 * Throws M_FORBIDDEN unless the MAC is the HMAC-SHA1 of nonce, name, password, `admin` or `notadmin`, and the
 * user type when there is one, joined with NUL: the format of Synapse's shared-secret registration.
 */
export function checkMac(secret: string, nonce: string, given: Registration): void {
  const fields = [nonce, given.username, given.password, given.admin ? 'admin' : 'notadmin'];
  if (given.user_type !== '') fields.push(given.user_type);
  const wanted = createHmac('sha1', secret).update(fields.join('\0')).digest();
  const mac = Buffer.from(given.mac, 'hex');
  if (mac.length !== wanted.length || !timingSafeEqual(mac, wanted)) {
    throw forbidden('The MAC is wrong. Is the shared secret the right one?');
  }
}
