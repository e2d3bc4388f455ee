import type { Kysely } from 'kysely';

import { type Profile, profileContent, type UserapiForRoomserver } from '@seneschal/contracts';
import { isMatrixError } from '@seneschal/matrix';
import type { Logger, Stoppable } from '@seneschal/observability';

import type { RoomWork, RoomWriter } from '../room/room-writer.ts';
import {
  advanceUpdate,
  claimUpdates,
  joinedRoomsAfter,
  postponeUpdate,
  type ProfileUpdate,
} from '../storage/profile-updates.ts';
import type { RoomserverTables } from '../storage/tables.ts';

export interface ProfileUpdatesDeps {
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
  userapi: UserapiForRoomserver;
  logger: Pick<Logger, 'warn' | 'error'>;
  /** How often updates are looked for that another process left, in ms. */
  everyMs?: number;
}

/** Users whose rooms are gone through at the same time, and rooms of each. */
const width = 4;
const roomsAtOnce = 4;
const pageSize = 50;
/** After this a page counts as abandoned by a process that died. */
const leaseMs = 30_000;
/** A room that fails so often is passed over. */
const mostAttempts = 5;
const retryMs = 5_000;

/**
 * Makes rooms show the profiles of their members as they are now: by membership events, a page of rooms at a time, the
 * users in turns. What is to be done is in a table, so nothing is lost with a process.
 */
export class ProfileUpdates implements Stoppable {
  readonly #deps: ProfileUpdatesDeps;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isStopped = false;

  constructor(deps: ProfileUpdatesDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.catchUp(), deps.everyMs ?? retryMs);
    this.#timer.unref();
  }

  /** Does everything that is due by now. */
  catchUp(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#isWanted && !this.#isStopped) void this.catchUp();
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#isWanted && !this.#isStopped) {
        this.#isWanted = false;
        const claimed = await claimUpdates(this.#deps.db, { limit: width, now: Date.now(), leaseMs });
        await Promise.all(claimed.map((update) => this.#goOn(update)));
        if (claimed.length > 0) this.#isWanted = true;
      }
    } catch (error) {
      this.#isWanted = false;
      this.#deps.logger.warn({ error }, 'profiles could not be taken to the rooms: they will be');
    }
  }

  async #goOn(update: ProfileUpdate): Promise<void> {
    const { db, logger } = this.#deps;
    const { userId } = update;
    const rooms = await joinedRoomsAfter(db, userId, update.doneUpTo, pageSize);
    const failed = await this.#updateRooms(
      userId,
      rooms.map(({ roomId }) => roomId),
    );
    if (failed.length > 0 && update.attempts < mostAttempts) {
      return postponeUpdate(db, update, Date.now() + retryMs);
    }
    if (failed.length > 0) logger.error({ userId, failed }, 'rooms do not show the profile of a member');
    await advanceUpdate(db, update, rooms.length < pageSize ? undefined : rooms.at(-1)?.roomNid);
  }

  /** Answers the rooms that could not be written to, though they should have been. */
  async #updateRooms(userId: string, roomIds: readonly string[]): Promise<string[]> {
    const pending = [...roomIds];
    const failed: string[] = [];
    const work = async (): Promise<void> => {
      for (let roomId = pending.shift(); roomId !== undefined; roomId = pending.shift()) {
        if (!(await this.#updateRoom(roomId, userId))) failed.push(roomId);
      }
    };
    await Promise.all(Array.from({ length: roomsAtOnce }, work));
    return failed;
  }

  async #updateRoom(roomId: string, userId: string): Promise<boolean> {
    const { writer, userapi, logger } = this.#deps;
    try {
      await writer.run(roomId, {
        users: [userId],
        apply: async (work) => {
          // Read after the room: if it is another by the time of the writing, so is the room.
          const profile = (await userapi.profiles([userId])).get(userId);
          if (profile !== undefined) show(work, userId, profile);
        },
      });
      return true;
    } catch (error) {
      // A room that does not let its member say so, or that is being deleted.
      if (isMatrixError(error) && error.status < 500) return true;
      logger.warn({ roomId, userId, error }, 'a room could not be given the profile of a member');
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}

/** A new membership event with nothing in it but the profile; none when the room shows the profile already. */
function show({ draft }: RoomWork, userId: string, { displayname, avatarUrl }: Profile): void {
  const member = draft.member(userId);
  if (member?.membership !== 'join') return;
  const before = member.event?.pdu.content;
  const isSame =
    (before?.['displayname'] ?? null) === displayname && (before?.['avatar_url'] ?? null) === avatarUrl;
  if (isSame) return;
  const content = { membership: 'join', ...profileContent({ displayname, avatarUrl }) };
  draft.append({ type: 'm.room.member', sender: userId, stateKey: userId, content });
}
