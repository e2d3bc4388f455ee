import { own, ownString, type JsonObject } from '../json-types.ts';
import type { RoomVersion } from '../room-versions.ts';

export interface AuthSubject {
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string | undefined;
  readonly content: JsonObject;
  readonly room_id?: string | undefined;
}

/**
 * Which state events belong in `auth_events`, as pairs of type and state key without duplicates (server-server API,
 * "Auth events selection"). The create event is among them up to room version 11.
 */
export function authTypes(event: AuthSubject, version: RoomVersion): [type: string, stateKey: string][] {
  if (event.type === 'm.room.create') return [];
  const selected: [string, string][] = version.roomIdIsCreateHash ? [] : [['m.room.create', '']];
  selected.push(['m.room.power_levels', ''], ['m.room.member', event.sender]);
  if (event.type !== 'm.room.member' || event.state_key === undefined) return selected;
  if (event.state_key !== event.sender) selected.push(['m.room.member', event.state_key]);
  return [...selected, ...forMembership(event, version, new Set([event.sender, event.state_key]))];
}

function forMembership(
  event: AuthSubject,
  version: RoomVersion,
  members: ReadonlySet<string>,
): [string, string][] {
  const selected: [string, string][] = [];
  const membership = ownString(event.content, 'membership');
  if (membership === 'join' || membership === 'invite' || membership === 'knock') {
    selected.push(['m.room.join_rules', '']);
  }
  if (membership === 'invite') {
    const token = ownString(own(own(event.content, 'third_party_invite'), 'signed'), 'token');
    if (token !== undefined) selected.push(['m.room.third_party_invite', token]);
  }
  if (membership === 'join' && version.restrictedJoins) {
    const authoriser = ownString(event.content, 'join_authorised_via_users_server');
    if (authoriser !== undefined && !members.has(authoriser)) selected.push(['m.room.member', authoriser]);
  }
  return selected;
}
