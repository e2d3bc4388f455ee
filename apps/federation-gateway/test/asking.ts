import { signRequest } from '@seneschal/federation';
import type { JsonObject } from '@seneschal/matrix';
import type { Peer, TestAnswer, World } from '@seneschal/testing';

/** A signed request of a peer to a world, as its headers and body are; tests change one of them. */
export interface SignedAsk {
  method?: 'GET' | 'POST' | 'PUT';
  uri: string;
  content?: JsonObject;
  /** In place of the world's own name. */
  destination?: string;
}

export function authorizationOf(peer: Peer, world: World, { method = 'GET', ...ask }: SignedAsk): string {
  const { uri, content, destination = world.serverName } = ask;
  const request = { method, uri, origin: peer.serverName, destination };
  return signRequest(content === undefined ? request : { ...request, content }, peer.signer);
}

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

/** Asks a world as a peer does. */
export function ask(peer: Peer, world: World, signed: SignedAsk): Promise<TestAnswer> {
  const { method = 'GET', uri, content } = signed;
  const headers = { authorization: authorizationOf(peer, world, signed) };
  return world.request(method, uri, content === undefined ? { headers } : { headers, body: content });
}
