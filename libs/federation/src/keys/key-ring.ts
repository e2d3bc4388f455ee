import { own, type Signer, verifyJson } from '@seneschal/matrix';

import {
  selectServerKey,
  serversWithKeys,
  type StoredServerKey,
  upsertKeyAnswer,
  upsertServerKeys,
} from '../storage/server-keys.ts';
import type { FederationDb } from '../storage/tables.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { readServerKeys } from './read-server-keys.ts';

export interface KeyRingDeps {
  db: FederationDb;
  client: Pick<FederationClient, 'sendUnsigned'>;
  signer: Signer;
  notaries: readonly string[];
  now?: () => number;
}

const keysPath = '/_matrix/key/v2';
const maximumBytes = 65_536;
const timeoutMs = 10_000;
/** A server that gave no keys is not asked again for so long, whoever claims to be it. */
const pauseMs = 60_000;
const maximumPauses = 10_000;
/** Servers that are asked for their keys at the same time. */
const width = 20;

/** The public keys of other servers: from the database, from the servers themselves, then from notaries. */
export class KeyRing {
  readonly #deps: KeyRingDeps;
  readonly #now: () => number;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #pausedUntil = new Map<string, number>();
  readonly #remembered = new Map<string, StoredServerKey>();

  constructor(deps: KeyRingDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** The key, if it is believed for what was signed at `at` (ms); undefined when it cannot be had. */
  async publicKey(serverName: string, keyId: string, at: number = this.#now()): Promise<string | undefined> {
    const { signer, db } = this.#deps;
    if (serverName === signer.serverName)
      return keyId === signer.key.keyId ? signer.key.publicKey : undefined;
    const remembered = this.#remembered.get(`${serverName} ${keyId}`);
    if (remembered !== undefined && remembered.validUntil >= at) return remembered.publicKey;
    const stored = this.#remember(serverName, await selectServerKey(db, serverName, keyId));
    if (stored !== undefined && stored.validUntil >= at) return stored.publicKey;
    await this.#refresh(serverName);
    const fetched = this.#remember(serverName, await selectServerKey(db, serverName, keyId));
    return fetched !== undefined && fetched.validUntil >= at ? fetched.publicKey : undefined;
  }

  /** Fetches, side by side, the keys of servers of which none are known. */
  async prepare(serverNames: Iterable<string>): Promise<void> {
    const names = [...new Set(serverNames)].filter(
      (name) => name !== '' && name !== this.#deps.signer.serverName,
    );
    const known = await serversWithKeys(this.#deps.db, names);
    const missing = names.filter((name) => !known.has(name));
    for (let at = 0; at < missing.length; at += width) {
      await Promise.all(missing.slice(at, at + width).map((name) => this.#refresh(name)));
    }
  }

  /** A key never changes, and is believed for ever longer. */
  #remember(serverName: string, key: StoredServerKey | undefined): StoredServerKey | undefined {
    if (key === undefined) return undefined;
    if (this.#remembered.size >= maximumPauses) this.#remembered.clear();
    this.#remembered.set(`${serverName} ${key.keyId}`, key);
    return key;
  }

  /** Whether a server signed a JSON object, by any of its keys that are valid now. */
  async isSigned(object: unknown, serverName: string): Promise<boolean> {
    const signatures = own(own(object, 'signatures'), serverName);
    for (const keyId of Object.keys((signatures ?? {}) as object).slice(0, 5)) {
      const key = await this.publicKey(serverName, keyId);
      if (key !== undefined && verifyJson(object, serverName, keyId, key)) return true;
    }
    return false;
  }

  /** Fetches the keys of a server anew, unless that was done in the last minute. */
  refresh(serverName: string): Promise<void> {
    return this.#refresh(serverName);
  }

  /** Many requests of one server that wait for its keys ask for them once. */
  #refresh(serverName: string): Promise<void> {
    const running = this.#underWay.get(serverName);
    if (running !== undefined) return running;
    if ((this.#pausedUntil.get(serverName) ?? 0) > this.#now()) return Promise.resolve();
    const started = this.#fetch(serverName).finally(() => this.#underWay.delete(serverName));
    this.#underWay.set(serverName, started);
    return started;
  }

  async #fetch(serverName: string): Promise<void> {
    const answer = (await this.#askServer(serverName)) ?? (await this.#askNotaries(serverName));
    const keys = answer === undefined ? undefined : readServerKeys(answer, serverName, this.#now());
    // Also after a success: a key that the answer has not is not in the next one either.
    if (this.#pausedUntil.size >= maximumPauses) this.#pausedUntil.clear();
    this.#pausedUntil.set(serverName, this.#now() + pauseMs);
    if (keys === undefined) return;
    await upsertServerKeys(this.#deps.db, serverName, keys);
    const validUntil = Number(own(answer, 'valid_until_ts'));
    await upsertKeyAnswer(this.#deps.db, { serverName, validUntil, json: JSON.stringify(answer) });
  }

  async #askServer(serverName: string): Promise<unknown> {
    return this.#deps.client
      .sendUnsigned({
        destination: serverName,
        method: 'GET',
        uri: `${keysPath}/server`,
        timeoutMs,
        maxBytes: maximumBytes,
      })
      .catch(() => undefined);
  }

  /** A notary's answer counts when the notary signed it (server-server API, "Querying Keys Through Another Server"). */
  async #askNotaries(serverName: string): Promise<unknown> {
    for (const notary of this.#deps.notaries) {
      if (notary === serverName) continue;
      const answer = await this.#askNotary(notary, serverName).catch(() => undefined);
      if (answer !== undefined && (await this.isSigned(answer, notary))) return answer;
    }
    return undefined;
  }

  async #askNotary(notary: string, serverName: string): Promise<unknown> {
    const answer = await this.#deps.client.sendUnsigned({
      destination: notary,
      method: 'POST',
      uri: `${keysPath}/query`,
      content: { server_keys: { [serverName]: {} } },
      timeoutMs,
      maxBytes: maximumBytes,
    });
    const found = own(answer, 'server_keys');
    return Array.isArray(found) ? found.find((one) => own(one, 'server_name') === serverName) : undefined;
  }
}
