import { randomBytes, randomInt } from 'node:crypto';

import type { Transaction } from 'kysely';

import {
  buildEvent,
  isMatrixError,
  type JsonObject,
  MatrixError,
  type RoomVersion,
  type Signer,
} from '@seneschal/matrix';

import { insertRoom } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { type EventInput, RoomDraft } from './room-draft.ts';

export interface RoomOpening {
  creator: string;
  /** Users beside the creator whose memberships the first events set. */
  users: readonly string[];
  /** Of the create event. */
  content: JsonObject;
  version: RoomVersion;
  isListed: boolean;
}

/**
 * A new room: its row, and a draft that begins with its create event, which names the room in version 12.
 * M_INVALID_ROOM_STATE when the create event is not possible.
 */
export async function openRoom(
  transaction: Transaction<RoomserverTables>,
  signer: Signer,
  opening: RoomOpening,
): Promise<RoomDraft> {
  const { creator, content, version } = opening;
  const create: EventInput = { type: 'm.room.create', sender: creator, stateKey: '', content };
  const { roomNid, roomId, now } = await claimRoom(transaction, signer, opening, create);
  const snapshot = {
    roomNid,
    roomId,
    version,
    forwardExtremities: [],
    depth: 0,
    lastPosition: 0,
    isBlocked: false,
    state: new Map(),
  };
  const draft = new RoomDraft(snapshot, signer, () => now);
  for (const userId of [creator, ...opening.users]) draft.setMember(userId, undefined);
  try {
    draft.append(create);
  } catch (error) {
    throw invalidRoomState(error, create);
  }
  return draft;
}

/** What to throw when a first event of a room is refused: M_INVALID_ROOM_STATE for what the rules do not allow. */
export function invalidRoomState(error: unknown, event: EventInput): unknown {
  if (!isMatrixError(error) || error.status !== 403) return error;
  return new MatrixError(400, 'M_INVALID_ROOM_STATE', `${event.type} is not possible: ${error.message}`);
}

/**
 * Takes a room ID. In version 12 it is the hash of the create event: two rooms that one user makes in the
 * same millisecond would have the same, so the later one says that it was made a little later.
 */
async function claimRoom(
  transaction: Transaction<RoomserverTables>,
  signer: Signer,
  { version, isListed }: RoomOpening,
  create: EventInput,
): Promise<{ roomNid: number; roomId: string; now: number }> {
  for (let now = Date.now(); ; now += randomInt(1, 20)) {
    const roomId = version.roomIdIsCreateHash
      ? createdRoomId(create, version, signer, now)
      : `!${randomBytes(18).toString('base64url')}:${signer.serverName}`;
    const roomNid = await insertRoom(transaction, {
      roomId,
      roomVersion: version.id,
      isListed,
      createdTs: now,
    });
    if (roomNid !== undefined) return { roomNid, roomId, now };
  }
}

/** The draft's first event must be just this one: same content, same time, no parents. */
function createdRoomId(create: EventInput, version: RoomVersion, signer: Signer, now: number): string {
  const proto = {
    type: create.type,
    sender: create.sender,
    state_key: '',
    content: create.content,
    origin_server_ts: now,
    prev_events: [],
    auth_events: [],
    depth: 1,
  };
  return buildEvent(proto, version, signer).roomId;
}
