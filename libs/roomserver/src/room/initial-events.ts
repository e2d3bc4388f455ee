import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { defaultPowerLevels, isJsonObject, type JsonObject, type RoomVersion } from '@seneschal/matrix';

import type { EventInput } from './room-draft.ts';

type Input = z.infer<typeof roomserver.createRoom.input>;

/** What the presets of `POST /createRoom` stand for (client-server API). */
const presets = {
  private_chat: { join_rule: 'invite', history_visibility: 'shared', guest_access: 'can_join' },
  trusted_private_chat: { join_rule: 'invite', history_visibility: 'shared', guest_access: 'can_join' },
  public_chat: { join_rule: 'public', history_visibility: 'shared', guest_access: 'forbidden' },
} as const;

/** The content of the create event. In version 12, trusted invitees become creators beside the first one. */
export function createContent(input: Input, version: RoomVersion): JsonObject {
  const content: JsonObject = { ...input.creationContent, room_version: version.id };
  delete content['creator'];
  if (!version.implicitRoomCreator) content['creator'] = input.creator;
  if (version.privilegedCreators && input.preset === 'trusted_private_chat') {
    const named = content['additional_creators'];
    const invited = input.invite.map((one) => one.userId);
    const all = new Set([...(Array.isArray(named) ? named : []), ...invited]);
    all.delete(input.creator);
    if (all.size > 0) content['additional_creators'] = [...all];
  }
  return content;
}

/** The events that follow the create event, in the order that the specification gives. */
export function initialEvents(input: Input, version: RoomVersion, alias: string | undefined): EventInput[] {
  const preset = presets[input.preset];
  const given = new Set(input.initialState.filter((one) => one.stateKey === '').map((one) => one.type));
  const fromPreset: [string, JsonObject][] = [
    ['m.room.join_rules', { join_rule: preset.join_rule }],
    ['m.room.history_visibility', { history_visibility: preset.history_visibility }],
    ['m.room.guest_access', { guest_access: preset.guest_access }],
  ];
  const state = (type: string, content: JsonObject, stateKey = ''): EventInput => ({
    type,
    sender: input.creator,
    stateKey,
    content,
  });
  return [
    state('m.room.member', memberContent('join', input.profile), input.creator),
    state('m.room.power_levels', powerLevels(input, version)),
    ...(alias === undefined ? [] : [state('m.room.canonical_alias', { alias })]),
    ...fromPreset.filter(([type]) => !given.has(type)).map(([type, content]) => state(type, content)),
    ...input.initialState.map((one) => state(one.type, one.content, one.stateKey)),
    ...(input.name === undefined ? [] : [state('m.room.name', { name: input.name })]),
    ...(input.topic === undefined ? [] : [state('m.room.topic', topicContent(input.topic))]),
    ...input.invite.map(({ userId, profile }) =>
      state(
        'm.room.member',
        { ...memberContent('invite', profile), ...(input.isDirect ? { is_direct: true } : {}) },
        userId,
      ),
    ),
  ];
}

/** The content of a membership event with the profile of its user. */
export function memberContent(membership: string, profile: Input['profile']): JsonObject {
  return {
    membership,
    ...(profile.displayname === undefined ? {} : { displayname: profile.displayname }),
    ...(profile.avatarUrl === undefined ? {} : { avatar_url: profile.avatarUrl }),
  };
}

function topicContent(topic: string): JsonObject {
  return { topic, 'm.topic': { 'm.text': [{ body: topic, mimetype: 'text/plain' }] } };
}

function powerLevels(input: Input, version: RoomVersion): JsonObject {
  const levels = defaultPowerLevels(input.creator, version);
  if (input.preset === 'trusted_private_chat' && !version.privilegedCreators) {
    const users = isJsonObject(levels['users']) ? levels['users'] : {};
    levels['users'] = { ...users, ...Object.fromEntries(input.invite.map((one) => [one.userId, 100])) };
  }
  return { ...levels, ...input.powerLevelContentOverride };
}
