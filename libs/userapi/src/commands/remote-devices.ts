import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { canonicalJson, invalidParam, type JsonObject, serverNameOf } from '@seneschal/matrix';

import { appendFacts, wakeConsumers } from '../storage/output.ts';
import {
  claimDue,
  lockRemoteList,
  markStale,
  selectRemoteDevices,
  storeRemoteList,
  type StoredRemoteDevice,
} from '../storage/remote-devices.ts';
import type { UserapiDb } from '../storage/tables.ts';

type ReplaceInput = z.infer<typeof userapi.replaceRemoteDevices.input>;
type ReplaceOutput = z.infer<typeof userapi.replaceRemoteDevices.output>;
type StaleInput = z.infer<typeof userapi.markRemoteDevicesStale.input>;

export interface RemoteDevicesDeps {
  db: UserapiDb;
  bus: WakeBus;
  /** This server. */
  serverName: string;
}

/**
 * Puts a fetched device list in place of the known one and tells of it when it differs. Repeated it changes
 * nothing. M_INVALID_PARAM for a user of this server.
 */
export async function replaceRemoteDevices(
  { db, bus, serverName }: RemoteDevicesDeps,
  input: ReplaceInput,
): Promise<ReplaceOutput> {
  const { userId, streamId, startedTs } = input;
  const remote = remoteServerOf(userId, serverName);
  const keys = { masterKey: textOf(input.masterKey), selfSigningKey: textOf(input.selfSigningKey) };
  const devices = input.devices.map((device) => ({ ...device, keys: textOf(device.keys) }));
  const { output, position } = await transact(db, async (trx) => {
    const earlier = await lockRemoteList(trx, userId, remote);
    const output = compare(await selectRemoteDevices(trx, userId), devices, {
      crossSigningChanged:
        earlier.masterKey !== keys.masterKey || earlier.selfSigningKey !== keys.selfSigningKey,
    });
    await storeRemoteList(trx, { userId, serverName: remote, streamId, startedTs, ...keys }, devices);
    const { added, removed, keysChanged, crossSigningChanged } = output;
    const isChanged = added.length + removed.length + keysChanged.length > 0 || crossSigningChanged;
    return {
      output,
      position: isChanged ? await appendFacts(trx, [{ kind: 'device_list_changed', userId }]) : 0,
    };
  });
  wakeConsumers(bus, position);
  return output;
}

/** Marks a list as stale, also one of which nothing is held yet. M_INVALID_PARAM for a user of this server. */
export async function markRemoteDevicesStale(
  { db, serverName }: Pick<RemoteDevicesDeps, 'db' | 'serverName'>,
  { userId, reason }: StaleInput,
): Promise<{ retryTs: number }> {
  const remote = remoteServerOf(userId, serverName);
  return transact(db, async (trx) => {
    await lockRemoteList(trx, userId, remote);
    return { retryTs: await markStale(trx, userId, reason, Date.now()) };
  });
}

/** Takes lists that are to be fetched again. A repetition takes others: the first ones are due again later. */
export async function claimDueDeviceLists(
  { db }: Pick<RemoteDevicesDeps, 'db'>,
  { limit, exceptServers = [] }: z.infer<typeof userapi.claimDueDeviceLists.input>,
): Promise<{ userIds: string[] }> {
  return { userIds: await claimDue(db, { now: Date.now(), limit, exceptServers }) };
}

function remoteServerOf(userId: string, serverName: string): string {
  const remote = serverNameOf(userId);
  if (remote === undefined || remote === serverName) {
    throw invalidParam(`${userId} is no user of another server.`);
  }
  return remote;
}

function textOf(keys: JsonObject | null): string | null {
  return keys === null ? null : canonicalJson(keys);
}

function compare(
  before: ReadonlyMap<string, StoredRemoteDevice>,
  after: readonly StoredRemoteDevice[],
  { crossSigningChanged }: { crossSigningChanged: boolean },
): ReplaceOutput {
  const ids = new Set(after.map(({ deviceId }) => deviceId));
  const isChanged = ({ deviceId, keys, displayName }: StoredRemoteDevice): boolean => {
    const earlier = before.get(deviceId);
    return earlier !== undefined && (earlier.keys !== keys || earlier.displayName !== displayName);
  };
  return {
    before: before.size,
    after: ids.size,
    added: [...ids].filter((deviceId) => !before.has(deviceId)),
    removed: [...before.keys()].filter((deviceId) => !ids.has(deviceId)),
    keysChanged: after.filter(isChanged).map(({ deviceId }) => deviceId),
    crossSigningChanged,
  };
}
