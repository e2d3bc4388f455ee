import { buildEvent, type JsonObject, type ProtoEvent, roomVersion } from '@seneschal/matrix';
import {
  ask,
  type AskedServer,
  type Member,
  type Peer,
  peerCertificate,
  peerSettings,
  startPeer,
} from '@seneschal/testing/peers';

import { parallel } from '../shared/parallel.ts';
import type { Bench } from './bench.ts';

/** Of the rooms that peers are in. */
export const version = roomVersion('10');

/** Settings of a server that talks with peers. */
export const withPeers = peerSettings;

/** The server as a peer asks it, and so many other homeservers: programs of ours that sign what they send. */
export interface Neighbours {
  server: AskedServer;
  peers: Peer[];
}

/** Has other homeservers beside the server while `work` is done. */
export async function amongPeers<T>(
  bench: Bench,
  count: number,
  work: (neighbours: Neighbours) => Promise<T>,
): Promise<T> {
  const { userId } = await bench.admin();
  const server: AskedServer = {
    serverName: userId.slice(userId.indexOf(':') + 1),
    request: (method, uri, options) => bench.client.request(method, uri, options),
  };
  const certificate = await peerCertificate();
  const peers: Peer[] = [];
  try {
    await parallel(
      Array.from({ length: count }, (_, index) => index),
      8,
      async () => void peers.push(await startPeer(certificate)),
    );
    return await work({ server, peers });
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

/** Messages of a member, each after the one before; what comes next goes on after them. */
export function messagesOf(peer: Peer, member: Member, after: Place, count: number): JsonObject[] {
  return Array.from({ length: count }, () => {
    after.depth += 1;
    const proto: ProtoEvent = {
      ...{ type: 'm.room.message', room_id: member.roomId, sender: member.userId },
      ...{ content: { msgtype: 'm.text', body: 'Call me Ishmael.' }, origin_server_ts: Date.now() },
      ...{ prev_events: [after.eventId], auth_events: member.authEvents, depth: after.depth },
    };
    const { eventId, pdu } = buildEvent(proto, version, peer.signer);
    after.eventId = eventId;
    return pdu as unknown as JsonObject;
  });
}

/** The end of a room's history. */
export interface Place {
  eventId: string;
  depth: number;
}

/** Sends a transaction of a peer, of which the server has to take every event. */
export async function deliver(
  peer: Peer,
  server: AskedServer,
  id: string,
  pdus: readonly JsonObject[],
): Promise<void> {
  const content = { origin: peer.serverName, origin_server_ts: Date.now(), pdus: [...pdus] };
  const sent = await ask(peer, server, { method: 'PUT', uri: `/_matrix/federation/v1/send/${id}`, content });
  const results = Object.values((sent.body['pdus'] ?? {}) as Record<string, { error?: string }>);
  const error = results.find((result) => result.error !== undefined)?.error;
  if (sent.status !== 200 || results.length !== pdus.length || error !== undefined) {
    throw new Error(`A transaction was answered with ${sent.status} ${error ?? JSON.stringify(sent.body)}`);
  }
}

/** What has come to peers since, event by event. */
export interface Deliveries {
  /** Resolves when each peer has so many events. */
  complete: (count: number) => Promise<void>;
  /** When an event came to each peer, by what `keyOf` says of it. */
  times: Map<string, number[]>;
}

/** Has peers take every transaction, and notes when which event came. */
export function watchDeliveries(
  peers: readonly Peer[],
  keyOf: (pdu: JsonObject) => string | undefined,
): Deliveries {
  const times = new Map<string, number[]>();
  const counts = new Map<Peer, number>();
  let wanted = Infinity;
  let settle: () => void = () => undefined;
  const look = (): void => {
    if (peers.every((peer) => (counts.get(peer) ?? 0) >= wanted)) settle();
  };
  for (const peer of peers) {
    peer.answer('/_matrix/federation/v1/send/', ({ body }) => {
      const { pdus } = JSON.parse(body) as { pdus: JsonObject[] };
      const keys = pdus.flatMap((pdu) => keyOf(pdu) ?? []);
      for (const key of keys) times.set(key, [...(times.get(key) ?? []), performance.now()]);
      counts.set(peer, (counts.get(peer) ?? 0) + keys.length);
      look();
      return { body: { pdus: {} } };
    });
  }
  const complete = (count: number): Promise<void> =>
    new Promise((resolve) => {
      wanted = count;
      settle = resolve;
      look();
    });
  return { complete, times };
}
