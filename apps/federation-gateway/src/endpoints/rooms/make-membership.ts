import type { CallBus } from '@seneschal/bus';
import { roomserver as commands } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { forbidden, incompatibleRoomVersion, type JsonObject, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

import { pdu, residentRoom, roomId, type RoomReads, userId } from './shapes.ts';

interface Deps {
  bus: CallBus;
  roomserver: Pick<RoomReads, 'federatedRoom'>;
}

const versions = z.union([z.string(), z.array(z.string())]).optional();

function makeMembership(deps: Deps, membership: 'join' | 'knock' | 'leave'): Endpoint {
  return endpoint({
    method: 'GET',
    path: `/_matrix/federation/v1/make_${membership}/:roomId/:userId`,
    access: 'server',
    rateLimit: 'none',
    summary: `A template of the ${membership} of a user of the asking server`,
    params: z.object({ roomId, userId }),
    query: z.object({ ver: versions }),
    answer: z.object({ room_version: z.string(), event: pdu }),
    handle: async ({ params, query: { ver = ['1'] }, origin }) => {
      if (serverNameOf(params.userId) !== origin) throw forbidden('The user is not of your server.');
      const { roomVersion } = await residentRoom(deps.roomserver, params.roomId, origin);
      if (membership !== 'leave' && ![ver].flat().includes(roomVersion)) {
        throw incompatibleRoomVersion(roomVersion);
      }
      const { userId: target } = params;
      const asked = { roomId: params.roomId, sender: target, target, membership, content: {} };
      const { event } = await deps.bus.call(commands.draftMembership, asked);
      return { room_version: roomVersion, event: withoutProof(event) };
    },
  });
}

/** Signing is the asking server's. */
function withoutProof({ hashes: _, signatures: __, event_id: ___, ...template }: JsonObject): JsonObject {
  return template;
}

/** Server-server API, `make_join`, `make_knock` and `make_leave`. */
export const makeMemberships = (deps: Deps): Endpoint[] =>
  (['join', 'knock', 'leave'] as const).map((membership) => makeMembership(deps, membership));
