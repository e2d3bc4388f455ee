import {
  buildEvent,
  type BuiltEvent,
  generateSigningKey,
  type JsonObject,
  type Pdu,
  type ProtoEvent,
} from '@seneschal/matrix';
import type { Peer } from '@seneschal/testing/peers';

import type { User } from '../shared/matrix.ts';
import type { Bench, Measurement } from './bench.ts';
import { memoryOf } from './cpu.ts';
import { amongPeers, version } from './neighbours.ts';

/** Servers that members of a large room are of. */
const servers = 20;

/** A room that lives elsewhere, as its server tells it. */
interface RemoteRoom {
  roomId: string;
  state: Pdu[];
  /** Names of the auth events of a join. */
  authEvents: string[];
  last: BuiltEvent;
}

/** A local user joins a room of `size` members through another server, which has signed all of it. */
export function joinRemote(bench: Bench, size: number): Promise<Measurement> {
  return amongPeers(bench, servers, async ({ peers }) => {
    const [user] = await bench.users(1);
    const [host] = peers;
    if (user === undefined || host === undefined) throw new Error('Somebody is missing.');
    const room = remoteRoom(host, peers, size);
    serveRoom(host, room);
    return withMemory(bench, () =>
      bench.measure('federation-join', size, size, async () => joinThrough(bench, user, room, host)),
    );
  });
}

/** The state of a room of `size` members is fetched from the server that it was joined through, and compared. */
export function downloadState(bench: Bench, size: number): Promise<Measurement> {
  return amongPeers(bench, servers, async ({ peers }) => {
    const [user] = await bench.users(1);
    const [host] = peers;
    if (user === undefined || host === undefined) throw new Error('Somebody is missing.');
    const room = remoteRoom(host, peers, size);
    serveRoom(host, room);
    await joinThrough(bench, user, room, host);
    const { token } = await bench.admin();
    return withMemory(bench, () =>
      bench.measure('federation-state', size, size, async () => {
        const path = `/_dendrite/admin/downloadState/${host.serverName}/${encodeURIComponent(room.roomId)}`;
        await bench.client.expect('POST', path, { token });
        return undefined;
      }),
    );
  });
}

async function joinThrough(bench: Bench, user: User, { roomId }: RemoteRoom, host: Peer): Promise<undefined> {
  const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`;
  const query = { server_name: host.serverName };
  await bench.client.expect('POST', path, { token: user.token, body: {}, query });
}

/** A public room whose members are spread over some servers. */
function remoteRoom(host: Peer, peers: readonly Peer[], size: number): RemoteRoom {
  const roomId = `!${generateSigningKey().publicKey.replace(/\W/g, '')}:${host.serverName}`;
  const founder = `@founder:${host.serverName}`;
  const built: BuiltEvent[] = [];
  const append = (peer: Peer, sender: string, given: Partial<ProtoEvent>, auth: readonly BuiltEvent[]) => {
    const prev = built.at(-1);
    const proto: ProtoEvent = {
      ...{ type: '', content: {}, room_id: roomId, sender, origin_server_ts: Date.now() },
      ...{ prev_events: prev === undefined ? [] : [prev.eventId], depth: built.length + 1, state_key: '' },
      ...{ auth_events: auth.map(({ eventId }) => eventId), ...given },
    };
    const event = buildEvent(proto, version, peer.signer);
    built.push(event);
    return event;
  };
  const joins = (userId: string): Partial<ProtoEvent> => ({
    ...{ type: 'm.room.member', state_key: userId },
    content: {
      membership: 'join',
      displayname: `${userId.slice(1, 9)} of the Pequod`,
      avatar_url: 'mxc://sea/whale',
    },
  });
  const create = append(
    host,
    founder,
    { type: 'm.room.create', content: { room_version: '10', creator: founder } },
    [],
  );
  const first = append(host, founder, joins(founder), [create]);
  const power = { type: 'm.room.power_levels', content: { users: { [founder]: 100 } } };
  const levels = append(host, founder, power, [create, first]);
  const rules = { type: 'm.room.join_rules', content: { join_rule: 'public' } };
  const open = append(host, founder, rules, [create, first, levels]);
  for (let count = 1; count < size; count += 1) {
    const peer = peers[count % peers.length] ?? host;
    const userId = `@sailor-${count}:${peer.serverName}`;
    append(peer, userId, joins(userId), [create, levels, open]);
  }
  const authEvents = [create, levels, open].map(({ eventId }) => eventId);
  return { roomId, state: built.map(({ pdu }) => pdu), authEvents, last: built.at(-1) ?? open };
}

/** Has a server let users into a room, and tell its state. */
function serveRoom(host: Peer, room: RemoteRoom): void {
  const state = room.state as unknown as JsonObject[];
  const told = { auth_chain: state.slice(0, 4), members_omitted: false };
  // Made once: what it costs is the peer's.
  const joined = JSON.stringify({ ...told, state, origin: host.serverName });
  const asked = JSON.stringify({ ...told, pdus: state });
  host.answer('/_matrix/federation/v1/make_join/', ({ uri }) => {
    const userId = decodeURIComponent(uri.split('?')[0]?.split('/').at(-1) ?? '');
    const event = {
      ...{ type: 'm.room.member', room_id: room.roomId, sender: userId, state_key: userId },
      ...{ content: { membership: 'join' }, depth: room.last.pdu.depth + 1 },
      ...{ prev_events: [room.last.eventId], auth_events: room.authEvents },
    };
    return { body: { room_version: '10', event } };
  });
  host.answer('/_matrix/federation/v2/send_join/', () => ({ body: joined }));
  host.answer('/_matrix/federation/v1/state/', () => ({ body: asked }));
}

/** Tells beside a measurement by how much memory of the server grew meanwhile. */
async function withMemory(bench: Bench, work: () => Promise<Measurement>): Promise<Measurement> {
  const beforeMiB = memoryOf(bench.pids.server).now;
  let highestMiB = beforeMiB;
  const samples = setInterval(() => {
    highestMiB = Math.max(highestMiB, memoryOf(bench.pids.server).now);
  }, 50);
  try {
    const measured = await work();
    return { ...measured, more: { ...measured.more, beforeMiB, highestMiB } };
  } finally {
    clearInterval(samples);
  }
}
