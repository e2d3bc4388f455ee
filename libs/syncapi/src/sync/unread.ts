import { createHash } from 'node:crypto';

import type { ReadUpTo, UnreadRoom } from '@seneschal/contracts';
import { evaluatePushRules, isJsonObject, type JsonObject, own } from '@seneschal/matrix';

import type { SyncReads } from './sync-query.ts';

export interface Counts {
  notifications: number;
  highlights: number;
}

/** What a user has not read of a room: outside of threads, and by thread. */
export interface Unread {
  main: Counts;
  threads: ReadonlyMap<string, Counts>;
}

interface Counted extends Unread {
  /** What was counted from, by which rules, and who was ignored; counted anew when it changes. */
  basis: string;
  /** Counted up to here. */
  upTo: number;
  threads: Map<string, Counts>;
}

const nothing: ReadUpTo = { all: 0, threads: new Map() };
const mostCounted = 20_000;

/**
 * Unread counts by the user's push rules. They are made when a sync asks and not when an event is sent, so that a
 * message in a room of ten thousand costs nobody anything who does not look. What was counted is remembered and
 * counted on from, as long as the user reads nothing further.
 */
export class UnreadCounts {
  readonly #reads: Pick<SyncReads, 'roomserver' | 'userapi'>;
  readonly #counted = new Map<string, Counted>();

  constructor(reads: Pick<SyncReads, 'roomserver' | 'userapi'>) {
    this.#reads = reads;
  }

  /** The counts of rooms that the user is joined to, as of a position of the room server. */
  async of(userId: string, roomIds: readonly string[], until: number): Promise<Map<string, Unread>> {
    if (roomIds.length === 0) return new Map();
    const { roomserver, userapi } = this.#reads;
    const [rules, ignored, read] = await Promise.all([
      userapi.accountData(userId, null, 'm.push_rules'),
      userapi.accountData(userId, null, 'm.ignored_user_list'),
      userapi.readUpTo(userId, roomIds),
    ]);
    const ruleset = own(rules, 'global');
    const digest = createHash('sha256')
      .update(JSON.stringify([ruleset, ignored]))
      .digest('base64');
    const counts = new Map(
      roomIds.map((roomId) => {
        const basis = basisOf(digest, read.get(roomId) ?? nothing);
        return [roomId, this.#known(keyOf(userId, roomId), basis, until)] as const;
      }),
    );
    const asked = [...counts].map(([roomId, { upTo }]) => {
      const { all, threads } = read.get(roomId) ?? nothing;
      return {
        roomId,
        main: Math.max(all, threads.get('main') ?? 0, upTo),
        threads: Math.max(all, upTo),
      };
    });
    for (const room of await roomserver.unreadEvents(userId, asked, until)) {
      const counted = counts.get(room.roomId);
      if (counted === undefined) continue;
      add(counted, room, read.get(room.roomId) ?? nothing, isJsonObject(ruleset) ? ruleset : {});
    }
    for (const [roomId, counted] of counts) this.#remember(keyOf(userId, roomId), counted, until);
    return counts;
  }

  /** Undefined is what was counted further than is asked for: it is counted anew. */
  #known(key: string, basis: string, until: number): Counted {
    const known = this.#counted.get(key);
    if (known?.basis === basis && known.upTo <= until) {
      return { ...known, main: { ...known.main }, threads: new Map(known.threads) };
    }
    return { basis, upTo: 0, main: { notifications: 0, highlights: 0 }, threads: new Map() };
  }

  #remember(key: string, counted: Counted, until: number): void {
    this.#counted.delete(key);
    this.#counted.set(key, { ...counted, upTo: until });
    for (const oldest of this.#counted.keys()) {
      if (this.#counted.size <= mostCounted) break;
      this.#counted.delete(oldest);
    }
  }
}

function keyOf(userId: string, roomId: string): string {
  return `${userId}\0${roomId}`;
}

function basisOf(digest: string, { all, threads }: ReadUpTo): string {
  return JSON.stringify([digest, all, [...threads].sort()]);
}

function add(counted: Counted, room: UnreadRoom, read: ReadUpTo, ruleset: JsonObject): void {
  const { joinedMembers, powerLevels } = room;
  for (const { event, position, senderLevel, threadId } of room.events) {
    if (threadId !== undefined && position <= (read.threads.get(threadId) ?? 0)) continue;
    const context = { joinedMembers, powerLevels, senderLevel };
    const { notify, highlight } = evaluatePushRules(ruleset, event, context);
    if (!notify) continue;
    const before =
      threadId === undefined
        ? counted.main
        : (counted.threads.get(threadId) ?? { notifications: 0, highlights: 0 });
    const after = {
      notifications: before.notifications + 1,
      highlights: before.highlights + Number(highlight),
    };
    if (threadId === undefined) counted.main = after;
    else counted.threads.set(threadId, after);
  }
}

/** As one number, for clients that do not tell threads apart. */
export function total({ main, threads }: Unread): Counts {
  const all = [main, ...threads.values()];
  return {
    notifications: all.reduce((sum, one) => sum + one.notifications, 0),
    highlights: all.reduce((sum, one) => sum + one.highlights, 0),
  };
}
