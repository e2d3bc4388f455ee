import type { Kysely, Transaction } from 'kysely';
import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import {
  forbidden,
  invalidParam,
  isRoomAlias,
  isUserId,
  roomInUse,
  roomVersion,
  serverNameOf,
  type Signer,
} from '@seneschal/matrix';

import { initialEvents, createContent } from '../room/initial-events.ts';
import { inviteesOf, type InvitePermissionDeps, refuseBlockedInvites } from '../room/invite-permission.ts';
import { invalidRoomState, openRoom } from '../room/open-room.ts';
import type { EventInput, RoomDraft } from '../room/room-draft.ts';
import { insertAlias } from '../storage/aliases.ts';
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

/** As makeRoom, for a user who asks for it: M_INVITE_BLOCKED, and no room, when one of the invited wants no invites. */
export async function createRoom(
  deps: CreateRoomDeps & InvitePermissionDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const invited = input.invite.map(({ userId }) => userId);
  await refuseBlockedInvites(deps, [...invited, ...input.initialState.flatMap(inviteesOf)]);
  return makeRoom(deps, input, context);
}

/**
 * Makes a room with all its first events in one transaction. M_ROOM_IN_USE when the alias is taken,
 * M_UNSUPPORTED_ROOM_VERSION, M_INVALID_ROOM_STATE when the events asked for contradict each other.
 */
export async function makeRoom(
  deps: CreateRoomDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const version = roomVersion(input.roomVersion ?? deps.defaultRoomVersion);
  const alias = aliasOf(input, deps.signer.serverName);
  checkInvites(input, deps.signer.serverName);
  const { output, position } = await transact(deps.db, async (transaction) => {
    const draft = await openRoom(transaction, deps.signer, {
      creator: input.creator,
      users: input.invite.map((one) => one.userId),
      content: createContent(input, version),
      version,
      isListed: input.listed,
    });
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

function appendAll(draft: RoomDraft, events: readonly EventInput[]): void {
  for (const event of events) {
    try {
      if (event.type === 'm.room.member' && event.stateKey !== undefined) ensureKnown(draft, event.stateKey);
      draft.append(event);
    } catch (error) {
      throw invalidRoomState(error, event);
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
      throw forbidden('Users of other servers are invited through their servers, when the room is there.');
    }
  }
}
