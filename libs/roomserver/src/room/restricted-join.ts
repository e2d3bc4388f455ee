import { sql } from 'kysely';

import { isJsonObject, type JsonObject, parsePowerLevels, userPowerLevel } from '@seneschal/matrix';

import { readRoom } from '../storage/room-reads.ts';
import type { RoomWork } from './room-writer.ts';

const mostRooms = 100;
const mostCandidates = 100;

/**
 * What a join to a restricted room needs beside the profile: `join_authorised_via_users_server`, naming a
 * local member with the power to invite (room versions 8 and later). Empty when the user is invited or in
 * already, when the room is not restricted, or when no allowed room has the user: the authorisation rules
 * then say no.
 */
export async function restrictedJoin(work: RoomWork, userId: string): Promise<JsonObject> {
  const { draft } = work;
  const rules = draft.stateEvent('m.room.join_rules')?.pdu.content ?? {};
  const rule = rules['join_rule'];
  const before = draft.membership(userId);
  if ((rule !== 'restricted' && rule !== 'knock_restricted') || before === 'join' || before === 'invite') {
    return {};
  }
  if (!(await isInOneOf(work, userId, allowedRooms(rules)))) return {};
  const authoriser = await findAuthoriser(work);
  return authoriser === undefined ? {} : { join_authorised_via_users_server: authoriser };
}

function allowedRooms(rules: JsonObject): string[] {
  const allow = Array.isArray(rules['allow']) ? rules['allow'] : [];
  return allow
    .filter(isJsonObject)
    .filter((one) => one['type'] === 'm.room_membership')
    .map((one) => one['room_id'])
    .filter((roomId): roomId is string => typeof roomId === 'string')
    .slice(0, mostRooms);
}

async function isInOneOf(work: RoomWork, userId: string, roomIds: readonly string[]): Promise<boolean> {
  const result = await sql`
    SELECT FROM roomserver_memberships m JOIN roomserver_rooms r USING (room_nid)
    WHERE m.user_id = ${userId} AND m.membership = 'join' AND r.room_id = ANY(${[...roomIds]}::text[]) LIMIT 1
  `.execute(work.db);
  return result.rows.length > 0;
}

/** A local member who may invite: those with a level of their own first, else anyone if all may. */
async function findAuthoriser(work: RoomWork): Promise<string | undefined> {
  const { draft } = work;
  const create = draft.stateEvent('m.room.create')?.pdu;
  if (create === undefined) return undefined;
  const { version, roomNid, roomId } = draft.room;
  const content = draft.stateEvent('m.room.power_levels')?.pdu.content;
  const levels = content === undefined ? undefined : parsePowerLevels(content, version);
  const named = [create.sender, ...Object.keys(levels?.users ?? {})].slice(0, mostCandidates);
  const candidates = await sql<{ user_id: string }>`
    (SELECT user_id FROM roomserver_memberships
      WHERE room_nid = ${roomNid} AND user_id = ANY(${named}::text[]) AND membership = 'join' AND is_local)
    UNION ALL
    (SELECT user_id FROM roomserver_memberships
      WHERE room_nid = ${roomNid} AND membership = 'join' AND is_local LIMIT 1)
  `.execute(work.db);
  const found = candidates.rows.find(
    ({ user_id: userId }) => userPowerLevel(userId, levels, create, version) >= (levels?.invite ?? 0),
  );
  if (found === undefined) return undefined;
  const reads = await readRoom(work.db, {
    roomId,
    users: [found.user_id],
    eventIds: [],
    transactions: [],
  });
  draft.setMember(found.user_id, reads.members.get(found.user_id));
  return found.user_id;
}
