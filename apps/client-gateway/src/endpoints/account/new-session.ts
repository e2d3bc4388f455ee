import { hashToken, newToken } from '@seneschal/http';
import { z } from 'zod';

import type { AccountDeps } from './deps.ts';

/** The tokens of a session as a client gets them. */
export const sessionAnswer = {
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in_ms: z.number().optional(),
};

type Lifetimes = Pick<AccountDeps['config'], 'access_token_lifetime' | 'refresh_token_lifetime'>;

interface NewSession {
  /** What is kept of them. */
  kept: { tokenHash: string; expiresTs?: number; refreshHash?: string; refreshExpiresTs?: number };
  shown: { access_token: string; refresh_token?: string; expires_in_ms?: number };
}

/** New tokens: an access token that expires for a client that can refresh it, else one that does not. */
export function newSession(config: Lifetimes, canRefresh: boolean): NewSession {
  return canRefresh ? renewable(config) : lasting();
}

function lasting(): NewSession {
  const token = newToken();
  return { kept: { tokenHash: hashToken(token) }, shown: { access_token: token } };
}

/** Both tokens anew: whoever refreshes in time stays logged in. */
export function renewable(config: Lifetimes): {
  kept: NewSession['kept'] & { expiresTs: number; refreshHash: string };
  shown: Required<NewSession['shown']>;
} {
  const { access_token_lifetime: lifetime, refresh_token_lifetime: refreshLifetime } = config;
  const [token, refresh] = [newToken(), newToken()];
  const now = Date.now();
  return {
    kept: {
      tokenHash: hashToken(token),
      expiresTs: now + lifetime,
      refreshHash: hashToken(refresh),
      ...(refreshLifetime === null ? {} : { refreshExpiresTs: now + refreshLifetime }),
    },
    shown: { access_token: token, refresh_token: refresh, expires_in_ms: lifetime },
  };
}
