import type { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type federation, userapi } from '@seneschal/contracts';
import { invalidParam, isMatrixError, MatrixError, serverNameOf } from '@seneschal/matrix';

import { type DeviceList, readDeviceList } from '../devices/read-device-list.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

type Input = z.infer<typeof federation.refreshDevices.input>;
type Output = z.infer<typeof federation.refreshDevices.output>;

export interface RefreshDevicesDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
  /** This server. */
  serverName: string;
}

const timeoutMs = 20_000;

/** Fetches a remote user's device list and stores it. Naturally idempotent: it may be repeated at any point. */
export async function refreshDevices(
  { bus, client, serverName }: RefreshDevicesDeps,
  { userId }: Input,
): Promise<Output> {
  const destination = serverNameOf(userId);
  if (destination === undefined || destination === serverName) {
    throw invalidParam(`${userId} is no user of another server.`);
  }
  const startedTs = Date.now();
  let list: DeviceList;
  try {
    const uri = `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`;
    list = readDeviceList(await client.send({ destination, method: 'GET', uri, timeoutMs }), userId);
  } catch (error) {
    const reason = reasonOf(error, destination);
    await bus.call(userapi.markRemoteDevicesStale, { userId, reason });
    throw new MatrixError(502, 'M_UNKNOWN', `The devices of ${userId} could not be fetched: ${reason}`);
  }
  const { refused, ...fetched } = list;
  return { ...(await bus.call(userapi.replaceRemoteDevices, { userId, startedTs, ...fetched })), refused };
}

/** What an administrator reads; nothing of the other server's answer but its errcode gets in. */
function reasonOf(error: unknown, destination: string): string {
  if (error instanceof Unreachable) return error.message;
  if (isMatrixError(error) && error.status !== 400) {
    return `${destination} answered ${error.status} ${error.errcode.slice(0, 64)}.`;
  }
  return isMatrixError(error) || !(error instanceof Error)
    ? `${destination} did not answer with a device list.`
    : error.message;
}
