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

/** Asks a world as a peer does. */
export function ask(peer: Peer, world: World, signed: SignedAsk): Promise<TestAnswer> {
  const { method = 'GET', uri, content } = signed;
  const headers = { authorization: authorizationOf(peer, world, signed) };
  return world.request(method, uri, content === undefined ? { headers } : { headers, body: content });
}
