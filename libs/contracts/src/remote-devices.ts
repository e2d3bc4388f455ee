import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';
import type { Receipt } from './receipts.ts';
import type { OutgoingToDevice } from './to-device.ts';
import type { UserapiForClient, UserapiForRoomserver } from './userapi-reads.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** How a fetched device list differs from the one that was known; device IDs. */
export const deviceListChange = z.object({
  before: z.number(),
  after: z.number(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
  keysChanged: z.array(z.string()),
  crossSigningChanged: z.boolean(),
});

/**
 * Puts the devices of another server's user in place of those that were known, in one transaction with the fact
 * that tells those who share an encrypted room. Everything in it has been checked by the caller.
 */
export const replaceRemoteDevices = command('userapi', 'replaceRemoteDevices', {
  input: z.object({
    userId: z.string(),
    /** When the list was asked for: of what is told later it knows nothing. */
    startedTs: z.number(),
    streamId: z.number(),
    devices: z.array(
      z.object({ deviceId: z.string(), keys: jsonObject.nullable(), displayName: z.string().nullable() }),
    ),
    masterKey: jsonObject.nullable(),
    selfSigningKey: jsonObject.nullable(),
  }),
  output: deviceListChange,
});

/** Marks a list as stale because it could not be fetched, to be tried again, ever later. */
export const markRemoteDevicesStale = command('userapi', 'markRemoteDevicesStale', {
  input: z.object({ userId: z.string(), reason: z.string() }),
  output: z.object({ retryTs: z.number() }),
});

/**
 * Changes that other servers told of: a device in full, or (null) that something else has changed. A device is taken
 * over when nothing was missed since the list was fetched: `prevIds` names what is held. Otherwise the list is stale, and
 * due to be fetched at once; `stale` names those users. Everything in it has been checked by the caller.
 */
export const receiveDeviceChanges = command('userapi', 'receiveDeviceChanges', {
  input: z.object({
    changes: z.array(
      z.object({
        userId: z.string(),
        device: z
          .object({
            deviceId: z.string(),
            streamId: z.number(),
            prevIds: z.array(z.number()),
            isDeleted: z.boolean(),
            keys: jsonObject.nullable(),
            displayName: z.string().nullable(),
          })
          .nullable(),
      }),
    ),
  }),
  output: z.object({ stale: z.array(z.string()) }),
});

/** Forgets what is held of users of other servers with whom nobody here shares a room any more. */
export const forgetRemoteDevices = command('userapi', 'forgetRemoteDevices', {
  input: z.object({ userIds: z.array(z.string()) }),
  output: z.object({}),
});

/** A device of a local user after a change, as other servers are told of it. */
export interface DeviceUpdate {
  /** Of the change, in `userapi_output`. */
  position: number;
  /** Of the user's change before it; null for the first. */
  previous: number | null;
  isDeleted: boolean;
  /** Identity keys; null for a device without. */
  keys: JsonObject | null;
  displayName: string | null;
}

/**
 * Takes stale lists whose time to be tried again has come, one of each server, so that a server that does not
 * answer delays no other; none of those that the caller is asking already. Who took them has two minutes before they are due again.
 */
export const claimDueDeviceLists = command('userapi', 'claimDueDeviceLists', {
  input: z.object({ limit: z.number(), exceptServers: z.array(z.string()).optional() }),
  output: z.object({ userIds: z.array(z.string()) }),
});

/** Device keys of one remote user, as they were fetched. */
export interface RemoteDeviceKeys {
  /** Whether the list is known to be out of date. */
  isStale: boolean;
  deviceKeys: Record<string, JsonObject>;
  masterKey: JsonObject | null;
  selfSigningKey: JsonObject | null;
}

/** Reads for the federation component and its gateway. */
export interface UserapiForFederation
  extends
    Pick<UserapiForClient, 'deviceKeys' | 'crossSigningKeys' | 'profile'>,
    Pick<UserapiForRoomserver, 'invitesBlockedBy'> {
  /** Whose OpenID token this is; undefined when it is worth nothing (any more). */
  userOfOpenidToken(tokenHash: string): Promise<string | undefined>;
  /** Grows with every change of a user's devices; 0 before the first. */
  deviceListPosition(userId: string): Promise<number>;
  /** Devices that changed at positions of `userapi_output`, as they are now. */
  deviceUpdates(
    changes: readonly { position: number; userId: string; deviceId: string }[],
  ): Promise<Map<number, DeviceUpdate>>;
  /** Messages to devices of other servers that wait at positions of `userapi_output`, in order. */
  outgoingToDevice(positions: readonly number[]): Promise<OutgoingToDevice[]>;
  /** Public receipts that were set at positions of `userapi_output`, and not moved on since. */
  publicReceipts(positions: readonly number[]): Promise<Receipt[]>;
  /** A page of the users of a server of whom anything is held, in order of user ID. */
  remoteUsersOf(serverName: string, after: string, limit: number): Promise<string[]>;
}
