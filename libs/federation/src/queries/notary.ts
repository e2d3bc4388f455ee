import type { KeyQuery } from '@seneschal/contracts';
import { isJsonObject, type JsonObject, parseJson, signJson, type Signer } from '@seneschal/matrix';

import type { KeyRing } from '../keys/key-ring.ts';
import { serverKeys } from '../server-keys.ts';
import { selectKeyAnswers } from '../storage/server-keys.ts';
import type { FederationDb } from '../storage/tables.ts';

export interface NotaryDeps {
  db: FederationDb;
  keys: Pick<KeyRing, 'refresh'>;
  signer: Signer;
}

/** Servers that are asked for their keys at the same time. */
const width = 20;

/**
 * The keys of servers as they published them, with our signature beside theirs (server-server API, "Querying Keys Through
 * Another Server"). What is not valid long enough any more is asked for anew; where that fails, the last answer is passed
 * on as it is. Servers of which nothing can be had are left out.
 */
export async function notarisedKeys(deps: NotaryDeps, wanted: KeyQuery): Promise<JsonObject[]> {
  const others = new Map([...wanted].filter(([name]) => name !== deps.signer.serverName));
  const before = await selectKeyAnswers(deps.db, [...others.keys()]);
  const stale = [...others].filter(([name, until]) => (before.get(name)?.validUntil ?? -1) < until);
  const names = stale.map(([name]) => name);
  for (let at = 0; at < names.length; at += width) {
    await Promise.all(names.slice(at, at + width).map((name) => deps.keys.refresh(name)));
  }
  const found = names.length === 0 ? before : await selectKeyAnswers(deps.db, [...others.keys()]);
  const own = others.size < wanted.size ? [serverKeys(deps.signer, Date.now()) as unknown as JsonObject] : [];
  return [...own, ...[...found.values()].flatMap(({ json }) => signed(deps.signer, json))];
}

function signed({ serverName, key }: Signer, json: string): JsonObject[] {
  const answer = parseJson(json);
  return isJsonObject(answer) ? [signJson(answer, serverName, key)] : [];
}
