import {
  defaultPowerLevels,
  isMatrixError,
  type JsonObject,
  parsePowerLevels,
  type PowerLevels,
  roomCreators,
  type RoomVersion,
} from '@seneschal/matrix';

import { integerLevels } from './integer-levels.ts';
import type { EventInput, RoomDraft } from './room-draft.ts';

/** What the specification recommends to transfer (client-server API, "Room Upgrades"); power levels come on their own. */
const transferred = [
  'm.room.server_acl',
  'm.room.encryption',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.guest_access',
  'm.room.history_visibility',
];

/** The content of the new room's create event. */
export function successorContent(
  old: RoomDraft,
  version: RoomVersion,
  creator: string,
  additionalCreators: readonly string[],
): JsonObject {
  const before = old.stateEvent('m.room.create')?.pdu.content ?? {};
  const [lastEvent] = old.forwardExtremities;
  const others = additionalCreators.filter((userId) => userId !== creator);
  return {
    room_version: version.id,
    predecessor: { room_id: old.room.roomId, ...(lastEvent === undefined ? {} : { event_id: lastEvent }) },
    ...(typeof before['type'] === 'string' ? { type: before['type'] } : {}),
    ...(before['m.federate'] === false ? { 'm.federate': false } : {}),
    ...(version.implicitRoomCreator ? {} : { creator }),
    ...(version.privilegedCreators && others.length > 0 ? { additional_creators: [...new Set(others)] } : {}),
  };
}

/** The state to set in the new room, power levels apart. */
export function transferredState(old: RoomDraft, version: RoomVersion, sender: string): EventInput[] {
  const copied = transferred.flatMap((type) => {
    const content = old.stateEvent(type)?.pdu.content;
    return content === undefined ? [] : [{ type, sender, stateKey: '', content }];
  });
  return [
    { type: 'm.room.join_rules', sender, stateKey: '', content: joinRules(old, version) },
    ...copied,
    ...spaceChildren(old, sender),
  ];
}

/** The old room's join rule, or the next narrower one that the version knows. */
function joinRules(old: RoomDraft, version: RoomVersion): JsonObject {
  const content = old.stateEvent('m.room.join_rules')?.pdu.content;
  const rule = content?.['join_rule'];
  const isKnown =
    rule === 'public' ||
    (rule === 'knock' && version.knocking) ||
    (rule === 'restricted' && version.restrictedJoins) ||
    (rule === 'knock_restricted' && version.knockRestricted);
  if (content !== undefined && isKnown) return content;
  return rule === 'knock_restricted' && version.restrictedJoins
    ? { ...content, join_rule: 'restricted' }
    : { join_rule: 'invite' };
}

/** A space without its rooms would be none. */
function spaceChildren(old: RoomDraft, sender: string): EventInput[] {
  if (old.stateEvent('m.room.create')?.pdu.content['type'] !== 'm.space') return [];
  return [...old.state.values()]
    .filter(({ pdu }) => pdu.type === 'm.space.child' && Array.isArray(pdu.content['via']))
    .map(({ pdu }) => ({ type: pdu.type, sender, stateKey: pdu.state_key ?? '', content: pdu.content }));
}

/**
 * The new room's power levels: those of the old one as integers. Creators of version 12 are not listed; where there are
 * none any more, those of the old room have what its greatest level was.
 */
export function successorLevels(old: RoomDraft, successor: RoomDraft, creator: string): JsonObject {
  const { version } = successor.room;
  const levels = readableLevels(old);
  if (levels === undefined) return defaultPowerLevels(creator, version);
  const content = integerLevels(levels.content, old.room.version);
  const users = new Map(Object.entries((content['users'] ?? {}) as JsonObject));
  if (version.privilegedCreators) {
    for (const userId of creatorsOf(successor)) users.delete(userId);
    const { state_default: stateDefault, events } = levels.parsed;
    if ((events['m.room.tombstone'] ?? stateDefault) <= stateDefault) {
      const tombstone = Math.max(150, stateDefault + 1);
      content['events'] = { ...(content['events'] as JsonObject), 'm.room.tombstone': tombstone };
    }
  } else if (old.room.version.privilegedCreators) {
    const top = greatest(levels.parsed);
    for (const userId of creatorsOf(old)) users.set(userId, top);
  }
  return { ...content, users: Object.fromEntries(users) };
}

/**
 * The power levels that keep the old room quiet: messages and invitations take 50, or more than everybody has. Undefined
 * when they do already, or cannot be read.
 */
export function closingLevels(old: RoomDraft): JsonObject | undefined {
  const levels = readableLevels(old);
  if (levels === undefined) return undefined;
  const { parsed } = levels;
  const needed = Math.max(50, parsed.users_default + 1);
  if (parsed.events_default >= needed && parsed.invite >= needed) return undefined;
  return {
    ...integerLevels(levels.content, old.room.version),
    events_default: Math.max(parsed.events_default, needed),
    invite: Math.max(parsed.invite, needed),
  };
}

function readableLevels(draft: RoomDraft): { content: JsonObject; parsed: PowerLevels } | undefined {
  const content = draft.stateEvent('m.room.power_levels')?.pdu.content;
  if (content === undefined) return undefined;
  try {
    return { content, parsed: parsePowerLevels(content, draft.room.version) };
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    return undefined;
  }
}

function creatorsOf(draft: RoomDraft): string[] {
  const create = draft.stateEvent('m.room.create')?.pdu;
  return create === undefined ? [] : roomCreators(create, draft.room.version);
}

function greatest({ users, events, notifications, ...single }: PowerLevels): number {
  const maps = [users, events, notifications, single].flatMap((map) => Object.values(map));
  return maps.reduce((most, level) => Math.max(most, level), 100);
}
