import { createHash } from 'node:crypto';

import type { JsonObject, JsonValue } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';
import { jobKind } from './jobs.ts';
import { deviceListChange } from './remote-devices.ts';

export * from './federation-admin.ts';
export * from './federation-lag.ts';
export * from './federation-rooms.ts';
export { remotePublicRooms, remoteRoomSummary } from './public-rooms.ts';

/**
 * Asks a user's own server for the user's devices now, and puts what it answers in place of what is known. 502
 * M_UNKNOWN with the reason when it cannot be asked or answers nonsense: then the list is stale, and is tried
 * again in the background. M_INVALID_PARAM for a user of this server.
 */
export const refreshDevices = command('federation', 'refreshDevices', {
  input: z.object({ userId: z.string() }),
  output: deviceListChange.extend({
    /** Devices and keys that were left out of the answer, and why. */
    refused: z.array(z.object({ item: z.string(), reason: z.string() })),
  }),
  timeoutMs: 60_000,
});

/** A request of another server, as its signature covers it. */
export interface ServerRequest {
  /** The Authorization header. */
  authorization: string;
  method: string;
  /** Path and query, percent-encoded as they came. */
  uri: string;
  /** The parsed body; undefined where the endpoint takes none. */
  content: JsonValue | undefined;
}

/** Servers whose keys are wanted, each with until when they have to be valid, in ms. */
export type KeyQuery = ReadonlyMap<string, number>;

export interface FederationForGateways {
  /** Keys of servers as they published them, signed by this server as well; those that cannot be had are left out. */
  notarisedKeys(wanted: KeyQuery): Promise<JsonObject[]>;
  /** The name of the server that sent a request. Throws 401 M_UNAUTHORIZED. */
  authenticate(request: ServerRequest): Promise<string>;
}

/** A key with which a server signs or signed. */
export interface SigningServerKey {
  serverName: string;
  keyId: string;
  /** 32 bytes in unpadded Base64. */
  publicKey: string;
  /** Up to when signatures by the key are believed, in ms. */
  validUntil: number;
}

export interface FederationForRoomserver {
  /** Of the wanted keys those that are known; nobody is asked for the others. */
  storedKeys(wanted: readonly { serverName: string; keyId: string }[]): Promise<SigningServerKey[]>;
}

/** `refreshDevices` as a job: what came of it is its result, and a failure is the failure of its one item. */
export const refreshDevicesJob = jobKind({
  component: 'federation',
  name: 'refresh_devices',
  input: z.object({ userId: z.string() }),
  target: (input) => input.userId,
  phases: ['fetch'],
  weight: 'light',
  keeps: 'all',
});

/** The device lists of named users, or of all users of a server of whom anything is held. */
export const refreshManyDevicesJob = jobKind({
  component: 'federation',
  name: 'refresh_many_devices',
  input: z.union([z.object({ userIds: z.array(z.string()) }), z.object({ serverName: z.string() })]),
  target: (input) =>
    'serverName' in input
      ? input.serverName
      : createHash('sha256')
          .update([...input.userIds].sort().join('\n'))
          .digest('hex'),
  phases: ['fetch'],
  weight: 'light',
  keeps: 'all',
});
