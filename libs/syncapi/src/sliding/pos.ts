import { invalidParam, MatrixError } from '@seneschal/matrix';

import { parseSyncToken, type SyncPosition, syncTokenOf } from '../tokens.ts';

/** Where a client of sliding sync is: an answer of a connection, and how far that told of everything. */
export interface Pos {
  connectionId: number;
  seq: number;
  position: SyncPosition;
}

const form = /^c(\d{1,15})_(\d{1,15})_(s[\d_]+)$/;

/** `c<connection>_<answer>_<token of sync>`. */
export function posOf({ connectionId, seq, position }: Pos): string {
  return `c${connectionId}_${seq}_${syncTokenOf(position)}`;
}

/** Throws M_UNKNOWN_POS: whoever comes with what this server never gave out begins anew. */
export function parsePos(text: string): Pos {
  const match = form.exec(text);
  if (match === null) throw unknownPos();
  const [, connectionId, seq, token = ''] = match;
  try {
    return { connectionId: Number(connectionId), seq: Number(seq), position: parseSyncToken(token) };
  } catch {
    throw unknownPos();
  }
}

/** MSC4186: the connection is not known, or has moved on. */
export function unknownPos(): MatrixError {
  return new MatrixError(400, 'M_UNKNOWN_POS', 'This position is not known, or not any more: begin anew.');
}

/** Where messages to the device were cut off: `d<position>`. Throws M_INVALID_PARAM. */
export function parseToDeviceToken(token: string): number {
  const match = /^d(\d{1,15})$/.exec(token);
  if (match === null) throw invalidParam('since is no token of messages to devices.');
  return Number(match[1]);
}
