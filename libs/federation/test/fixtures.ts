import { generateSigningKey, type JsonObject, signJson } from '@seneschal/matrix';
import type { Peer } from '@seneschal/testing';

/** A device as its server tells of it, with keys that it signed. */
export function deviceOf(userId: string, deviceId: string): JsonObject {
  const key = { ...generateSigningKey(), keyId: `ed25519:${deviceId}` };
  const keys = { [key.keyId]: key.publicKey };
  const signed = signJson({ user_id: userId, device_id: deviceId, algorithms: ['m.olm'], keys }, userId, key);
  return { device_id: deviceId, keys: signed, device_display_name: `${deviceId}'s` };
}

/** Makes a peer answer these devices of a user. */
export function answerDevices(peer: Peer, userId: string, devices: readonly JsonObject[]): void {
  peer.answer(devicesPath(userId), () => ({
    body: { user_id: userId, stream_id: 5, devices: [...devices] },
  }));
}

export function devicesPath(userId: string): string {
  return `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`;
}
