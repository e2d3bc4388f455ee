import { randomBytes, randomInt } from 'node:crypto';

import type { Kysely, Transaction } from 'kysely';
import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import {
  buildEvent,
  forbidden,
  invalidParam,
  isMatrixError,
  isRoomAlias,
  isUserId,
  MatrixError,
  roomInUse,
  roomVersion,
  type RoomVersion,
  serverNameOf,
  type Signer,
} from '@seneschal/matrix';

import { initialEvents, createContent } from '../room/initial-events.ts';
import { type EventInput, RoomDraft } from '../room/room-draft.ts';
import { insertAlias } from '../storage/aliases.ts';
import { insertRoom } from '../storage/rooms.ts';
import { storeDraft } from '../storage/store-draft.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.createRoom.input>;
type Output = z.infer<typeof roomserver.createRoom.output>;

export interface CreateRoomDeps {
  db: Kysely<RoomserverTables>;
  bus: WakeBus;
  signer: Signer;
  defaultRoomVersion: string;
}

/**
 * Makes a room with all its first events in one transaction. M_ROOM_IN_USE when the alias is taken,
 * M_UNSUPPORTED_ROOM_VERSION, M_INVALID_ROOM_STATE when the events asked for contradict each other.
 */
export async function createRoom(
  deps: CreateRoomDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const version = roomVersion(input.roomVersion ?? deps.defaultRoomVersion);
  const alias = aliasOf(input, deps.signer.serverName);
  checkInvites(input, deps.signer.serverName);
  const { output, position } = await transact(deps.db, async (transaction) => {
    const draft = await openRoom(deps, transaction, input, version);
    if (alias !== undefined) await takeAlias(transaction, alias, draft.room.roomNid, input.creator);
    appendAll(draft, initialEvents(input, version, alias));
    const made: Output = {
      roomId: draft.room.roomId,
      ...(alias === undefined ? {} : { roomAlias: alias }),
    };
    await context.remember(transaction, made);
    const { serverName } = deps.signer;
    return { output: made, position: await storeDraft(transaction, { draft, sent: [], serverName }) };
  });
  deps.bus.wake(roomserver.roomserverOutput, position ?? 0);
  return output;
}

/** The room's row and a draft that begins with its create event, which names the room in version 12. */
async function openRoom(
  deps: CreateRoomDeps,
  transaction: Transaction<RoomserverTables>,
  input: Input,
  version: RoomVersion,
): Promise<RoomDraft> {
  const create: EventInput = {
    type: 'm.room.create',
    sender: input.creator,
    stateKey: '',
    content: createContent(input, version),
  };
  const { roomNid, roomId, now } = await claimRoom(deps, transaction, input, version, create);
  const draft = new RoomDraft(
    {
      roomNid,
      roomId,
      version,
      forwardExtremities: [],
      depth: 0,
      lastPosition: 0,
      isBlocked: false,
      state: new Map(),
    },
    deps.signer,
    () => now,
  );
  for (const userId of [input.creator, ...input.invite.map((one) => one.userId)]) {
    draft.setMember(userId, undefined);
  }
  appendAll(draft, [create]);
  return draft;
}

/**
 * Takes a room ID. In version 12 it is the hash of the create event: two rooms that one user makes in the
 * same millisecond would have the same, so the later one says that it was made a little later.
 */
async function claimRoom(
  deps: CreateRoomDeps,
  transaction: Transaction<RoomserverTables>,
  input: Input,
  version: RoomVersion,
  create: EventInput,
): Promise<{ roomNid: number; roomId: string; now: number }> {
  for (let now = Date.now(); ; now += randomInt(1, 20)) {
    const roomId = version.roomIdIsCreateHash
      ? createdRoomId(create, version, deps.signer, now)
      : `!${randomBytes(18).toString('base64url')}:${deps.signer.serverName}`;
    const roomNid = await insertRoom(transaction, {
      roomId,
      roomVersion: version.id,
      isListed: input.listed,
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

function appendAll(draft: RoomDraft, events: readonly EventInput[]): void {
  for (const event of events) {
    try {
      if (event.type === 'm.room.member' && event.stateKey !== undefined) ensureKnown(draft, event.stateKey);
      draft.append(event);
    } catch (error) {
      if (!isMatrixError(error) || error.status !== 403) throw error;
      throw new MatrixError(400, 'M_INVALID_ROOM_STATE', `${event.type} is not possible: ${error.message}`);
    }
  }
}

/** Memberships in `initial_state` may be of users that the command does not otherwise name. */
function ensureKnown(draft: RoomDraft, userId: string): void {
  try {
    draft.member(userId);
  } catch {
    draft.setMember(userId, undefined);
  }
}

function aliasOf(input: Input, serverName: string): string | undefined {
  if (input.aliasLocalpart === undefined) return undefined;
  const alias = `#${input.aliasLocalpart}:${serverName}`;
  if (!isRoomAlias(alias) || /[\s:#]/.test(input.aliasLocalpart)) {
    throw invalidParam('room_alias_name is not the local part of a room alias.');
  }
  return alias;
}

async function takeAlias(
  transaction: Transaction<RoomserverTables>,
  alias: string,
  roomNid: number,
  creator: string,
): Promise<void> {
  if (!(await insertAlias(transaction, { alias, roomNid, creator }))) {
    throw roomInUse(`${alias} is taken. Choose another room_alias_name.`);
  }
}

function checkInvites(input: Input, serverName: string): void {
  for (const { userId } of input.invite) {
    if (!isUserId(userId)) throw invalidParam('invite has something that is not a user ID.');
    if (serverNameOf(userId) !== serverName) {
      throw forbidden('This server does not federate yet: only its own users can be invited.');
    }
  }
}
