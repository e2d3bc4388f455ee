import type { Kysely, RawBuilder } from 'kysely';
import type { z } from 'zod';

import type { CallBus, CommandContext } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { type MatrixError, notFound } from '@seneschal/matrix';

import { leaveElsewhere, livesElsewhere } from '../room/leave-elsewhere.ts';
import { leaveRoom } from '../room/leave-room.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { readLocalMembers } from '../storage/room-reads.ts';
import { blockRoom, roomNidOf } from '../storage/rooms.ts';
import { ifStored } from '../storage/store-draft.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.evacuateRoom.input>;
type Output = z.infer<typeof roomserver.evacuateRoom.output>;

const part = roomserver.evacuateRoom.output;

/** What one transaction did, and the user ID that the next one goes on after. */
export interface Page extends Output {
  last: string | undefined;
}

/** Leaves in one transaction: other rooms wait for the log's lock about 30 ms at the longest. */
const pageSize = 250;
const mostElsewhere = 10_000;

export interface EvacuateRoomDeps {
  bus: CallBus;
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
}

/**
 * Makes every local user who is joined, invited or knocking leave, page by page, each page one transaction with
 * one chain of leave events. Who cannot leave is named with the reason and stops no other. Repeated
 * after a crash it goes on where it stopped and answers for the whole. M_NOT_FOUND when the room is unknown.
 */
export async function evacuateRoom(
  deps: EvacuateRoomDeps,
  input: Input,
  context: Pick<CommandContext, 'parts' | 'partStatement'>,
): Promise<Output> {
  if ((await roomNidOf(deps.db, input.roomId)) === undefined) throw unknownRoom();
  if (input.block && !input.dryRun) {
    await blockRoom(deps.db, { roomId: input.roomId, blockedBy: input.requestedBy });
  }
  const pages: Output[] = (await context.parts()).map((one) => part.parse(one));
  let page: Page = { affected: [], failed: [], bytes: 0, last: '' };
  while (page.last !== undefined) {
    page = await evacuatePage(deps, input, page.last, ({ affected, failed, bytes }) =>
      context.partStatement(affected[0] ?? '', { affected, failed, bytes }, ifStored),
    );
    pages.push(page);
  }
  return merge(pages);
}

function unknownRoom(): MatrixError {
  return notFound('There is no such room.');
}

/**
 * Makes the next users after one of them leave.
 * @param also a statement to take effect with their leaving, guarded by `ifStored`
 */
export async function evacuatePage(
  deps: EvacuateRoomDeps,
  input: Pick<Input, 'roomId' | 'dryRun'>,
  after: string,
  also: (page: Output) => RawBuilder<unknown>,
): Promise<Page> {
  if (await livesElsewhere(deps.db, input.roomId)) return evacuateElsewhere(deps, input);
  return deps.writer.run<Page>(input.roomId, {
    users: [],
    isAlone: true,
    isRehearsal: input.dryRun,
    unknownRoom: unknownRoom(),
    apply: async ({ draft, db }) => {
      const members = await readLocalMembers(db, draft.room.roomNid, after, pageSize);
      const page: Page = { affected: [], failed: [], bytes: 0, last: undefined };
      for (const [userId, member] of members) {
        draft.setMember(userId, member);
        const reason = leaveRoom(draft, userId);
        if (reason === undefined) page.affected.push(userId);
        else page.failed.push({ userId, reason });
      }
      page.bytes = draft.bytes;
      page.last = members.size < pageSize ? undefined : [...members.keys()].at(-1);
      return page;
    },
    also,
  });
}

/** Who is only invited, or knocks, in a room of other servers turns that down with one of them: few, as a rule. */
async function evacuateElsewhere(
  deps: EvacuateRoomDeps,
  { roomId, dryRun }: Pick<Input, 'roomId' | 'dryRun'>,
): Promise<Page> {
  const page: Page = { affected: [], failed: [], bytes: 0, last: undefined };
  const roomNid = (await roomNidOf(deps.db, roomId)) ?? 0;
  for (const userId of (await readLocalMembers(deps.db, roomNid, '', mostElsewhere)).keys()) {
    const reason = dryRun ? undefined : await leaveElsewhere(deps, roomId, userId);
    if (reason === undefined) page.affected.push(userId);
    else page.failed.push({ userId, reason });
  }
  return page;
}

/** Who failed in an earlier delivery and left in a later one has left. */
function merge(pages: readonly Output[]): Output {
  const affected = new Set(pages.flatMap((page) => page.affected));
  const failed = new Map(pages.flatMap((page) => page.failed).map((one) => [one.userId, one]));
  for (const userId of affected) failed.delete(userId);
  const bytes = pages.reduce((sum, page) => sum + page.bytes, 0);
  return { affected: [...affected], failed: [...failed.values()], bytes };
}
