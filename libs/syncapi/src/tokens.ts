import { invalidParam } from '@seneschal/matrix';

/** A place in both logs that a sync is made of. */
export interface SyncPosition {
  roomserver: number;
  userapi: number;
  /** Where messages to the device were cut off; the same as `userapi` when absent. */
  toDevice?: number;
  /** Of the last change of who is typing; absent when there was none of late. */
  typing?: number;
}

const syncToken = /^s(\d{1,15})_(\d{1,15})(?:_(\d{1,15})(?:_(\d{1,16}))?)?$/;
const pageToken = /^t(\d{1,15})$/;

/**
 * The token of a sync: `s<position of the room server>_<position of the user API>`, then as far as there is anything
 * to say `_<position of the last message to the device>_<position of typing>`.
 */
export function syncTokenOf({ roomserver, userapi, toDevice = userapi, typing = 0 }: SyncPosition): string {
  const parts = [roomserver, userapi];
  if (toDevice < userapi || typing > 0) parts.push(toDevice);
  if (typing > 0) parts.push(typing);
  return `s${parts.join('_')}`;
}

/** Throws M_INVALID_PARAM. */
export function parseSyncToken(token: string): SyncPosition {
  const match = syncToken.exec(token);
  if (match === null) throw invalidParam('That is not a token of sync.');
  const [, roomserver, userapi, toDevice, typing] = match;
  return {
    roomserver: Number(roomserver),
    userapi: Number(userapi),
    ...(toDevice === undefined ? {} : { toDevice: Number(toDevice) }),
    ...(typing === undefined ? {} : { typing: Number(typing) }),
  };
}

/** Up to where a device has got its messages; 0 before its first sync. */
export function toDeviceOf(since: SyncPosition | null): number {
  return since?.toDevice ?? since?.userapi ?? 0;
}

/** The token of a page of messages: `t<position>`. */
export function tokenOf(position: number): string {
  return `t${position}`;
}

/** The stream position in a token of messages or of sync. Throws M_INVALID_PARAM. */
export function positionOf(token: string): number {
  const match = pageToken.exec(token) ?? syncToken.exec(token);
  if (match === null) throw invalidParam('That is not a token of messages or sync.');
  return Number(match[1]);
}
