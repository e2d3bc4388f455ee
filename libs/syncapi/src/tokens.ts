import { invalidParam } from '@seneschal/matrix';

/** A place in both logs that a sync is made of. */
export interface SyncPosition {
  roomserver: number;
  userapi: number;
}

const syncToken = /^s(\d{1,15})_(\d{1,15})$/;
const pageToken = /^t(\d{1,15})$/;

/** The token of a sync: `s<position of the room server>_<position of the user API>`. */
export function syncTokenOf(position: SyncPosition): string {
  return `s${position.roomserver}_${position.userapi}`;
}

/** Throws M_INVALID_PARAM. */
export function parseSyncToken(token: string): SyncPosition {
  const match = syncToken.exec(token);
  if (match === null) throw invalidParam('That is not a token of sync.');
  return { roomserver: Number(match[1]), userapi: Number(match[2]) };
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
