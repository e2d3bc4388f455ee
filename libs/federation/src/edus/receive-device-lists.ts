import type { CallBus } from '@seneschal/bus';
import { type RoomserverForFederation, userapi } from '@seneschal/contracts';
import { isUserId, type JsonObject, serverNameOf } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';
import { z } from 'zod';

import { readDevice } from '../devices/read-device-list.ts';

export interface ReceiveDeviceListsDeps {
  bus: CallBus;
  roomserver: Pick<RoomserverForFederation, 'usersSharedWith'>;
  logger: Pick<Logger, 'info'>;
  /** Begins to fetch lists that are due. */
  refetch(): unknown;
}

const ofUser = z.object({ user_id: z.string().refine(isUserId) });
/** Server-server API, `m.device_list_update`. */
const deviceUpdate = ofUser.extend({
  stream_id: z.int().min(0),
  prev_id: z.array(z.int()).max(100).optional(),
  deleted: z.boolean().nullish(),
});

type Change = z.infer<typeof userapi.receiveDeviceChanges.input>['changes'][number];

/**
 * Takes changes of devices and of cross-signing keys. Of users that nobody here shares a room with nothing is kept,
 * whatever a server makes up. A device with keys that it did not sign is passed over: the user's next change shows that
 * something is missing, and the list is then fetched and checked as a whole.
 */
export async function receiveDeviceLists(
  deps: ReceiveDeviceListsDeps,
  origin: string,
  edus: readonly { type: string; content: JsonObject }[],
): Promise<void> {
  const read = edus.flatMap(({ type, content }) => {
    const change = type === 'm.device_list_update' ? readUpdate(deps, content) : readSigning(content);
    return change !== undefined && serverNameOf(change.userId) === origin ? [change] : [];
  });
  const shared = await deps.roomserver.usersSharedWith([...new Set(read.map(({ userId }) => userId))]);
  const changes = read.filter(({ userId }) => shared.has(userId));
  if (changes.length === 0) return;
  const { stale } = await deps.bus.call(userapi.receiveDeviceChanges, { changes });
  if (stale.length > 0) deps.refetch();
}

function readUpdate(deps: ReceiveDeviceListsDeps, content: JsonObject): Change | undefined {
  const { success, data } = deviceUpdate.safeParse(content);
  if (!success) return undefined;
  const { user_id: userId, stream_id: streamId, prev_id: prevIds = [], deleted } = data;
  const isDeleted = deleted === true;
  const device = readDevice(isDeleted ? { device_id: content['device_id'] ?? '' } : content, userId);
  if (typeof device !== 'string') return { userId, device: { ...device, streamId, prevIds, isDeleted } };
  deps.logger.info({ userId, reason: device }, 'a device was refused');
  return undefined;
}

/** What the keys are is asked of the user's server, together with the devices that they sign. */
function readSigning(content: JsonObject): Change | undefined {
  const { success, data } = ofUser.safeParse(content);
  return success ? { userId: data.user_id, device: null } : undefined;
}
