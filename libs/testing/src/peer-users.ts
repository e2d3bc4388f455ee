import { signRequest } from '@seneschal/federation';
import {
  buildEvent,
  eventIdOf,
  type JsonObject,
  type Pdu,
  type ProtoEvent,
  roomVersion,
} from '@seneschal/matrix';

import type { Peer } from './peer.ts';

/** Of peers' rooms and joins. */
const version = roomVersion('10');
const v1 = '/_matrix/federation/v1';

/** A homeserver of ours as a peer asks it: a world, or a server in a process of its own. */
export interface AskedServer<Answer = { status: number; body: Record<string, unknown> }> {
  readonly serverName: string;
  request(
    method: string,
    uri: string,
    options: { headers: Record<string, string>; body?: JsonObject },
  ): Promise<Answer>;
}

/** A signed request of a peer, as its headers and body are; tests change one of them. */
export interface SignedAsk {
  method?: 'GET' | 'POST' | 'PUT';
  uri: string;
  content?: JsonObject;
  /** In place of the server's own name. */
  destination?: string;
}

export function authorizationOf(
  peer: Peer,
  server: Pick<AskedServer, 'serverName'>,
  { method = 'GET', ...ask }: SignedAsk,
): string {
  const { uri, content, destination = server.serverName } = ask;
  const request = { method, uri, origin: peer.serverName, destination };
  return signRequest(content === undefined ? request : { ...request, content }, peer.signer);
}

/** Asks a server as a peer does. */
export function ask<Answer>(peer: Peer, server: AskedServer<Answer>, signed: SignedAsk): Promise<Answer> {
  const { method = 'GET', uri, content } = signed;
  const headers = { authorization: authorizationOf(peer, server, signed) };
  return server.request(method, uri, content === undefined ? { headers } : { headers, body: content });
}

/** A user of a peer in a room of a server, with what the next event of the user refers to. */
export interface Member {
  roomId: string;
  userId: string;
  join: { eventId: string; pdu: Pdu };
  authEvents: string[];
  /** As the server told it when the user joined. */
  state: Pdu[];
}

/** Has a user of a peer join a room of a server, of room version 10. */
export async function joinAs(
  peer: Peer,
  server: AskedServer,
  userId: string,
  roomId: string,
): Promise<Member> {
  const at = `${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}`;
  const made = await ask(peer, server, { uri: `${v1}/make_join/${at}?ver=10` });
  const template = made.body['event'] as ProtoEvent;
  const join = buildEvent({ ...template, origin_server_ts: Date.now() }, version, peer.signer);
  const uri = `/_matrix/federation/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(join.eventId)}`;
  const content = join.pdu as unknown as JsonObject;
  const joined = await ask(peer, server, { method: 'PUT', uri, content });
  if (joined.status !== 200) throw new Error(`The join of ${userId} was answered with ${joined.status}.`);
  const state = joined.body['state'] as Pdu[];
  const authEvents = state
    .filter(({ type }) => type === 'm.room.create' || type === 'm.room.power_levels')
    .map((pdu) => eventIdOf(pdu, version));
  return { roomId, userId, join, authEvents: [...authEvents, join.eventId], state };
}
