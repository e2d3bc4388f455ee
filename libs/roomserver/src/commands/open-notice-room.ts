import type { Transaction } from 'kysely';
import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { forbidden, isMatrixError, type JsonObject, roomVersion } from '@seneschal/matrix';

import type { RoomWriter } from '../room/room-writer.ts';
import { claimNoticeRoom, findNoticeRoom, type NoticeRoom } from '../storage/notice-rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { type CreateRoomDeps, makeRoom } from './create-room.ts';

type Input = z.infer<typeof roomserver.openNoticeRoom.input>;

export interface OpenNoticeRoomDeps extends CreateRoomDeps {
  writer: Pick<RoomWriter, 'run'>;
}

/** Thrown to roll a new room back when another one has become the user's meanwhile. */
class Outrun extends Error {}

const attempts = 5;

/** Who gets notices cannot write there (server notices module: the room is read-only for the user). */
const powerLevelOfUser = -10;

/**
 * Finds the user's room by the table that says which it is, whatever other rooms the user shares with the
 * notices account. It is made anew when it is gone or the notices account is out of it.
 */
export async function openNoticeRoom(deps: OpenNoticeRoomDeps, input: Input): Promise<{ roomId: string }> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const found = await findNoticeRoom(deps.db, input.userId);
    const roomId = found?.roomId ?? undefined;
    if (roomId !== undefined && (await enter(deps, input, roomId))) return { roomId };
    try {
      return await make(deps, input, found);
    } catch (error) {
      if (!(error instanceof Outrun)) throw error;
    }
  }
  throw new Error('The notice room of a user could not be made: others kept making it.');
}

/** Sees to it that the user is in the room or invited. False when the room is of no use any more. */
async function enter(deps: OpenNoticeRoomDeps, input: Input, roomId: string): Promise<boolean> {
  const { userId, sender, profile } = input;
  try {
    return await deps.writer.run(roomId, {
      users: [sender, userId],
      apply: ({ draft }) => {
        if (draft.membership(sender) !== 'join') return false;
        const membership = draft.membership(userId);
        if (membership === 'join' || membership === 'invite') return true;
        if (draft.room.isBlocked) throw forbidden(`An administrator has blocked the notice room ${roomId}.`);
        draft.append({
          type: 'm.room.member',
          sender,
          stateKey: userId,
          content: { membership: 'invite', ...memberNames(profile) },
        });
        return true;
      },
    });
  } catch (error) {
    // Neither unknown nor closed rooms are of use; others are a matter for the administrator.
    if (isMatrixError(error) && (await isGone(deps, userId, roomId))) return false;
    throw error;
  }
}

async function isGone(deps: OpenNoticeRoomDeps, userId: string, roomId: string): Promise<boolean> {
  return (await findNoticeRoom(deps.db, userId))?.roomId !== roomId;
}

function memberNames(profile: Input['profile']): JsonObject {
  return {
    ...(profile.displayname === undefined ? {} : { displayname: profile.displayname }),
    ...(profile.avatarUrl === undefined ? {} : { avatar_url: profile.avatarUrl }),
  };
}

async function make(
  deps: OpenNoticeRoomDeps,
  input: Input,
  seen: NoticeRoom | undefined,
): Promise<{ roomId: string }> {
  const claim = async (transaction: Transaction<RoomserverTables>, roomId: string): Promise<void> => {
    const mine = { userId: input.userId, roomId, seen: seen?.roomNid ?? null };
    if (!(await claimNoticeRoom(transaction, mine))) throw new Outrun();
  };
  // The claim takes the place of a remembered reply: whoever repeats the command finds the room by it.
  const { roomId } = await makeRoom(deps, roomOf(deps, input), {
    remember: (transaction, made) =>
      claim(transaction as unknown as Transaction<RoomserverTables>, (made as { roomId: string }).roomId),
  });
  return { roomId };
}

function roomOf(deps: OpenNoticeRoomDeps, input: Input): Parameters<typeof makeRoom>[1] {
  const { userId, sender } = input;
  const creator = roomVersion(deps.defaultRoomVersion).privilegedCreators ? {} : { [sender]: 100 };
  return {
    creator: sender,
    profile: { displayname: input.senderName },
    preset: 'private_chat',
    listed: false,
    name: input.roomName,
    isDirect: false,
    invite: [{ userId, profile: input.profile }],
    initialState: [],
    creationContent: { 'm.federate': false },
    powerLevelContentOverride: { users: { ...creator, [userId]: powerLevelOfUser } },
  };
}
