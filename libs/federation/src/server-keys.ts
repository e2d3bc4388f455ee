import { signJson, type Signatures, type Signer } from '@seneschal/matrix';

export interface ServerKeys {
  server_name: string;
  valid_until_ts: number;
  verify_keys: Record<string, { key: string }>;
  old_verify_keys: Record<string, { key: string; expired_ts: number }>;
  signatures: Signatures;
}

/** Two days: a server whose clock is a day fast believes them still, when it asks every day. */
const validForMs = 2 * 86_400_000;

/** The answer of `GET /_matrix/key/v2/server` (server-server API, "Publishing Keys"), good for two days. */
export function serverKeys({ serverName, key }: Signer, now: number): ServerKeys {
  return signJson(
    {
      server_name: serverName,
      valid_until_ts: now + validForMs,
      verify_keys: { [key.keyId]: { key: key.publicKey } },
      old_verify_keys: {},
    },
    serverName,
    key,
  );
}
