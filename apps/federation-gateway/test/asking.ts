import type { JsonObject } from '@seneschal/matrix';
import { ask, type Peer, type World } from '@seneschal/testing';

export { ask, authorizationOf, type SignedAsk } from '@seneschal/testing';

/** What became of each event of a transaction, by its ID. */
export type PduResults = Record<string, { error?: string }>;

let transactions = 0;

/** Sends a transaction of a peer to a world, which has to take it. */
export async function deliver(
  peer: Peer,
  world: World,
  given: { pdus?: readonly object[]; edus?: readonly object[] },
): Promise<PduResults> {
  transactions += 1;
  const content = { origin: peer.serverName, origin_server_ts: Date.now(), pdus: [], ...given };
  const uri = `/_matrix/federation/v1/send/t${transactions}`;
  const sent = await ask(peer, world, { method: 'PUT', uri, content: content as unknown as JsonObject });
  expect(sent.status).toBe(200);
  return (sent.body['pdus'] ?? {}) as PduResults;
}

/** The error of each result, undefined where there is none. */
export function errorsOf(results: PduResults): (string | undefined)[] {
  return Object.values(results).map(({ error }) => error);
}
