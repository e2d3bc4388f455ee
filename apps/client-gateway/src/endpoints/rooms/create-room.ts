import type { CallBus } from '@seneschal/bus';
import { federation, roomserver, type UserapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam, isMatrixError, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

import { toMemberProfile } from './member-profile.ts';
import { identifier, jsonObject, text, userId } from './shapes.ts';

const preset = z.enum(['private_chat', 'public_chat', 'trusted_private_chat']);

const body = z.object({
  visibility: z.enum(['public', 'private']).default('private'),
  room_alias_name: text.optional(),
  name: z.string().optional(),
  topic: z.string().optional(),
  invite: z.array(userId).max(1000).default([]),
  invite_3pid: z.array(z.unknown()).default([]),
  room_version: z.string().optional(),
  creation_content: jsonObject.default({}),
  initial_state: z
    .array(z.object({ type: identifier, state_key: identifier.default(''), content: jsonObject }))
    .default([]),
  preset: preset.optional(),
  is_direct: z.boolean().default(false),
  power_level_content_override: jsonObject.optional(),
});

/** `POST /createRoom`. Without a preset the visibility chooses one. */
export const createRoom = (deps: {
  bus: CallBus;
  userapi: Pick<UserapiForClient, 'profiles'>;
  serverName: string;
}): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/createRoom'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Makes a room',
    body,
    bodyOptional: true,
    answer: z.object({ room_id: z.string(), room_alias: z.string().optional() }),
    handle: async ({ body: asked, requester }) => {
      const isOurs = (invitee: string): boolean => serverNameOf(invitee) === deps.serverName;
      const input = await toInput(deps.userapi, requester.userId, {
        ...asked,
        invite: asked.invite.filter(isOurs),
      });
      const { roomId, roomAlias } = await deps.bus.call(roomserver.createRoom, input);
      const remote = new Set(asked.invite.filter((invitee) => !isOurs(invitee)));
      await inviteRemote(deps.bus, { roomId, sender: requester.userId, isDirect: asked.is_direct }, remote);
      return { room_id: roomId, ...(roomAlias === undefined ? {} : { room_alias: roomAlias }) };
    },
  });

/** The room is there whether or not other servers can be asked: whoever was not invited can be invited again. */
async function inviteRemote(
  bus: CallBus,
  { roomId, sender, isDirect }: { roomId: string; sender: string; isDirect: boolean },
  targets: ReadonlySet<string>,
): Promise<void> {
  const content = isDirect ? { is_direct: true } : {};
  for (const target of targets) {
    await bus.call(federation.inviteUser, { roomId, sender, target, content }).catch((error: unknown) => {
      if (!isMatrixError(error)) throw error;
    });
  }
}

async function toInput(
  userapi: Pick<UserapiForClient, 'profiles'>,
  creator: string,
  asked: z.infer<typeof body>,
): Promise<z.infer<typeof roomserver.createRoom.input>> {
  if (asked.invite_3pid.length > 0)
    throw invalidParam('Invitations by e-mail or telephone are not supported.');
  const invited = [...new Set(asked.invite)].filter((invitee) => invitee !== creator);
  const profiles = await userapi.profiles([creator, ...invited]);
  const isPublic = asked.visibility === 'public';
  return {
    creator,
    profile: toMemberProfile(profiles.get(creator)),
    roomVersion: asked.room_version,
    preset: asked.preset ?? (isPublic ? 'public_chat' : 'private_chat'),
    listed: isPublic,
    aliasLocalpart: asked.room_alias_name,
    name: asked.name,
    topic: asked.topic,
    isDirect: asked.is_direct,
    invite: invited.map((invitee) => ({ userId: invitee, profile: toMemberProfile(profiles.get(invitee)) })),
    initialState: asked.initial_state.map((one) => ({
      type: one.type,
      stateKey: one.state_key,
      content: one.content,
    })),
    creationContent: asked.creation_content,
    powerLevelContentOverride: asked.power_level_content_override,
  };
}
