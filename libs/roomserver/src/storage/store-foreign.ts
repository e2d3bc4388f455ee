import { type RawBuilder, sql } from 'kysely';

import { serverNameOf } from '@seneschal/matrix';

import type { RoomDraft } from '../room/room-draft.ts';

/**
 * The parts of `storeDraft`'s statement that only events of other servers and of other servers' users need; nothing for
 * what a local user does in a room of the local users.
 */
export function foreignParts(draft: RoomDraft, serverName: string): RawBuilder<unknown> {
  const parts: RawBuilder<unknown>[] = [];
  const { hidden, states, overrides, shown, inviteStates } = draft.foreign;
  if (hidden.length > 0) parts.push(sql`hidden AS (${insertHidden(draft)})`);
  if (states.length > 0) parts.push(sql`states AS (${insertStates(draft)})`);
  if (shown.length > 0) {
    parts.push(sql`shown AS (
      DELETE FROM roomserver_hidden_events h USING room
      WHERE h.room_nid = room.room_nid AND h.event_id = ANY(${shown}::text[])
    )`);
  }
  if (inviteStates.length > 0) parts.push(sql`invite_states AS (${upsertInviteStates(draft)})`);
  if (overrides.length > 0) parts.push(...overrideParts(draft, serverName));
  const servers = serverChanges(draft, serverName);
  if (servers.size > 0) parts.push(sql`servers AS (${upsertServers(servers)})`);
  return parts.length === 0 ? sql`` : sql`, ${sql.join(parts)}`;
}

function insertHidden({ foreign: { hidden } }: RoomDraft): RawBuilder<unknown> {
  return sql`
    INSERT INTO roomserver_hidden_events (event_id, room_nid, kind, json)
    SELECT event_id, room.room_nid, kind, json FROM room, unnest(
      ${hidden.map((one) => one.eventId)}::text[], ${hidden.map((one) => one.kind)}::text[],
      ${hidden.map((one) => one.json)}::text[]
    ) AS new (event_id, kind, json)
    ON CONFLICT (event_id) DO UPDATE SET kind = excluded.kind WHERE roomserver_hidden_events.kind = 'outlier'`;
}

function insertStates({ foreign: { states } }: RoomDraft): RawBuilder<unknown> {
  const changes = states.map(({ before }) =>
    JSON.stringify([...before.changes.values()].map((one) => [one.type, one.stateKey, one.eventId])),
  );
  return sql`
    INSERT INTO roomserver_event_states (event_id, room_nid, base, changes)
    SELECT event_id, room.room_nid, base, changes FROM room, unnest(
      ${states.map((one) => one.eventId)}::text[], ${states.map((one) => one.before.base)}::bigint[],
      ${changes}::jsonb[]
    ) AS new (event_id, base, changes)
    ON CONFLICT DO NOTHING`;
}

function upsertInviteStates({ foreign: { inviteStates } }: RoomDraft): RawBuilder<unknown> {
  return sql`
    INSERT INTO roomserver_invite_states (room_nid, user_id, events)
    SELECT room.room_nid, user_id, events FROM room, unnest(
      ${inviteStates.map((one) => one.userId)}::text[],
      ${inviteStates.map((one) => JSON.stringify(one.events))}::jsonb[]
    ) AS new (user_id, events)
    ON CONFLICT (room_nid, user_id) DO UPDATE SET events = excluded.events`;
}

/** Notes each override, and makes it the current state. */
function overrideParts({ foreign: { overrides } }: RoomDraft, serverName: string): RawBuilder<unknown>[] {
  const rows = sql`unnest(
      ${overrides.map((one) => one.type)}::text[], ${overrides.map((one) => one.stateKey)}::text[],
      ${overrides.map((one) => one.event?.position ?? null)}::bigint[],
      ${overrides.map((one) => membershipOf(one.event?.pdu.content))}::text[],
      ${overrides.map((one) => serverNameOf(one.stateKey) === serverName)}::boolean[]
    ) AS new (type, state_key, event_position, membership, is_local)`;
  return [
    sql`overridden AS (
      INSERT INTO roomserver_state_overrides (room_nid, type, state_key, position, event_position)
      SELECT room.room_nid, type, state_key, (SELECT max(position) FROM numbered), event_position FROM room, ${rows}
    )`,
    sql`overridden_state AS (
      INSERT INTO roomserver_current_state (room_nid, type, state_key, position)
      SELECT room.room_nid, type, state_key, event_position FROM room, ${rows}
      WHERE event_position IS NOT NULL AND type <> 'm.room.member'
      ON CONFLICT (room_nid, type, state_key) DO UPDATE SET position = excluded.position
    )`,
    sql`removed_state AS (
      DELETE FROM roomserver_current_state s USING room, ${rows}
      WHERE s.room_nid = room.room_nid AND s.type = new.type AND s.state_key = new.state_key
        AND new.event_position IS NULL
    )`,
    sql`overridden_members AS (
      INSERT INTO roomserver_memberships (room_nid, user_id, membership, position, is_local)
      SELECT room.room_nid, state_key, membership, event_position, is_local FROM room, ${rows}
      WHERE event_position IS NOT NULL AND type = 'm.room.member'
      ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = excluded.membership, position = excluded.position, since = NULL
    )`,
    sql`removed_members AS (
      DELETE FROM roomserver_memberships m USING room, ${rows}
      WHERE m.room_nid = room.room_nid AND m.user_id = new.state_key AND new.type = 'm.room.member'
        AND new.event_position IS NULL
    )`,
  ];
}

function membershipOf(content: unknown): string {
  const membership = (content as { membership?: unknown } | undefined)?.membership;
  return typeof membership === 'string' ? membership : 'leave';
}

/** By how much the joined users of each other server become more or fewer. */
function serverChanges({ membershipChanges }: RoomDraft, serverName: string): Map<string, number> {
  const changes = new Map<string, number>();
  for (const { userId, previous, membership } of membershipChanges) {
    const server = serverNameOf(userId);
    const change = Number(membership === 'join') - Number(previous === 'join');
    if (server === undefined || server === serverName || change === 0) continue;
    changes.set(server, (changes.get(server) ?? 0) + change);
  }
  return changes;
}

function upsertServers(changes: ReadonlyMap<string, number>): RawBuilder<unknown> {
  return sql`
    INSERT INTO roomserver_room_servers AS s (room_nid, server_name, joined_members)
    SELECT room.room_nid, server_name, change FROM room, unnest(
      ${[...changes.keys()]}::text[], ${[...changes.values()]}::int[]
    ) AS new (server_name, change)
    ON CONFLICT (room_nid, server_name) DO UPDATE SET joined_members = s.joined_members + excluded.joined_members`;
}
