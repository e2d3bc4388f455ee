import type { RoomserverForFederation, UserapiFact, UserapiForFederation } from '@seneschal/contracts';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';

import type { DurableEdu } from '../storage/edus.ts';

export interface DeviceListEdusDeps {
  /** This server. */
  serverName: string;
  userapi: Pick<UserapiForFederation, 'deviceUpdates' | 'crossSigningKeys'>;
  roomserver: Pick<RoomserverForFederation, 'serversSharingRooms'>;
}

interface Entry {
  position: number;
  fact: UserapiFact;
}

/**
 * What other servers are told of changed devices and cross-signing keys of local users: those that share a room with the
 * user. Changes of a user's devices are one chain, whoever is told: `stream_id` is the position of the change, `prev_id`
 * that of the one before. So who has fetched the list can go on from there, and who missed a change sees that.
 */
export async function deviceListEdus(
  deps: DeviceListEdusDeps,
  entries: readonly Entry[],
): Promise<DurableEdu[]> {
  const changes = entries.flatMap(({ position, fact }) => {
    if (fact.kind !== 'device_list_changed' || serverNameOf(fact.userId) !== deps.serverName) return [];
    return [{ ...fact, position }];
  });
  const servers = await deps.roomserver.serversSharingRooms([...new Set(changes.map((one) => one.userId))]);
  const told = changes.filter(({ userId }) => servers.has(userId));
  const devices = told.flatMap(({ position, userId, deviceId }) =>
    deviceId === undefined ? [] : [{ position, userId, deviceId }],
  );
  const signers = told.filter(({ crossSigning }) => crossSigning === true).map(({ userId }) => userId);
  const [updates, keys] = await Promise.all([
    deps.userapi.deviceUpdates(devices),
    signers.length === 0
      ? new Map<string, never>()
      : deps.userapi.crossSigningKeys([...new Set(signers)], null),
  ]);
  return told.flatMap(({ position, userId, deviceId, crossSigning }): DurableEdu[] => {
    const to = { subject: userId, destinations: servers.get(userId) ?? [] };
    const update = updates.get(position);
    if (deviceId !== undefined && update !== undefined) {
      const content = deviceContent(userId, deviceId, update);
      return [{ type: 'm.device_list_update', content, ...to }];
    }
    const content = crossSigning === true ? signingContent(userId, keys.get(userId)) : undefined;
    return content === undefined ? [] : [{ type: 'm.signing_key_update', content, ...to }];
  });
}

type Update =
  Awaited<ReturnType<UserapiForFederation['deviceUpdates']>> extends Map<number, infer U> ? U : never;

function deviceContent(userId: string, deviceId: string, update: Update): JsonObject {
  const { position, previous, isDeleted, keys, displayName } = update;
  return {
    user_id: userId,
    device_id: deviceId,
    stream_id: position,
    prev_id: previous === null ? [] : [previous],
    ...(isDeleted ? { deleted: true } : {}),
    ...(keys === null ? {} : { keys }),
    ...(displayName === null ? {} : { device_display_name: displayName }),
  };
}

type Keys =
  Awaited<ReturnType<UserapiForFederation['crossSigningKeys']>> extends Map<string, infer K> ? K : never;

/** Undefined for a user without keys: there is nothing to tell. */
function signingContent(userId: string, keys: Keys | undefined): JsonObject | undefined {
  if (keys?.master === undefined) return undefined;
  return {
    user_id: userId,
    master_key: keys.master,
    ...(keys.selfSigning === undefined ? {} : { self_signing_key: keys.selfSigning }),
  };
}
