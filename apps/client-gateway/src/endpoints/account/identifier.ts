import { z } from 'zod';

import { missingParam, unknown } from '@seneschal/matrix';

import { optional, text } from './schemas.ts';

/** Who logs in: `identifier` of the type m.id.user, or the deprecated `user`. */
export const userIdentifier = {
  identifier: optional(z.object({ type: text(), user: optional(text()) })),
  user: optional(text()),
};

interface Identified {
  identifier?: { type: string; user?: string | undefined } | undefined;
  user?: string | undefined;
}

/**
 * The user ID that a client means by a localpart or by a whole user ID. M_MISSING_PARAM when it names none,
 * M_UNKNOWN for identifiers that are no user (third-party IDs, phone numbers).
 */
export function fullUserId({ identifier, user }: Identified, serverName: string): string {
  if (identifier !== undefined && identifier.type !== 'm.id.user') {
    throw unknown(400, 'Identifiers are of the type m.id.user.');
  }
  const name = identifier?.user ?? user;
  if (name === undefined || name === '') throw missingParam('The user is missing.');
  return name.startsWith('@') ? name : `@${name}:${serverName}`;
}
