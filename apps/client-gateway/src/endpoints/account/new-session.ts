import { hashToken, newToken } from '@seneschal/http';
import { z } from 'zod';

import type { AccountDeps } from './deps.ts';

/** The tokens of a session as a client gets them. */
export const sessionAnswer = {
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in_ms: z.number().optional(),
};

interface NewSession {
  /** What is kept of them. */
  kept: { tokenHash: string; expiresTs?: number; refreshHash?: string };
  shown: { access_token: string; refresh_token?: string; expires_in_ms?: number };
}

/** New tokens: an access token that expires for a client that can refresh it, else one that does not. */
export function newSession(
  config: Pick<AccountDeps['config'], 'access_token_lifetime'>,
  canRefresh: boolean,
): NewSession {
  return canRefresh ? renewable(config) : lasting();
}

function lasting(): NewSession {
  const token = newToken();
  return { kept: { tokenHash: hashToken(token) }, shown: { access_token: token } };
}

export function renewable({ access_token_lifetime: lifetime }: { access_token_lifetime: number }): {
  kept: Required<NewSession['kept']>;
  shown: Required<NewSession['shown']>;
} {
  const [token, refresh] = [newToken(), newToken()];
  return {
    kept: {
      tokenHash: hashToken(token),
      expiresTs: Date.now() + lifetime,
      refreshHash: hashToken(refresh),
    },
    shown: { access_token: token, refresh_token: refresh, expires_in_ms: lifetime },
  };
}
