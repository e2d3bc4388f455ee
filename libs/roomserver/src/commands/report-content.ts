import type { Kysely, Transaction } from 'kysely';
import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import { type ReportKind, roomserver, type RoomserverFact } from '@seneschal/contracts';
import { appendToLog, transact } from '@seneschal/database';
import { notFound } from '@seneschal/matrix';

import { insertEventReport, insertRoomReport, insertUserReport } from '../storage/reports.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type EventInput = z.infer<typeof roomserver.reportEvent.input>;
type RoomInput = z.infer<typeof roomserver.reportRoom.input>;
type UserInput = z.infer<typeof roomserver.reportUser.input>;
type Context = Pick<CommandContext, 'remember'>;

interface Reported {
  reportId: number;
}

export interface ReportContentDeps {
  db: Kysely<RoomserverTables>;
  bus: WakeBus;
}

/** The same event may be reported again, also by the same user: each is a report of its own. */
export function reportEvent(deps: ReportContentDeps, input: EventInput, context: Context): Promise<Reported> {
  return store(deps, 'event', context, async (transaction) => {
    const reportId = await insertEventReport(transaction, input);
    if (reportId === undefined) throw notFound('There is no such event, or you are not joined to the room.');
    return reportId;
  });
}

export function reportRoom(deps: ReportContentDeps, input: RoomInput, context: Context): Promise<Reported> {
  return store(deps, 'room', context, async (transaction) => {
    const reportId = await insertRoomReport(transaction, input);
    if (reportId === undefined) throw notFound('There is no such room on this server.');
    return reportId;
  });
}

export function reportUser(deps: ReportContentDeps, input: UserInput, context: Context): Promise<Reported> {
  return store(deps, 'user', context, async (transaction) => {
    const reportId = await insertUserReport(transaction, input);
    if (reportId === undefined) throw new Error('The report was not stored.');
    return reportId;
  });
}

/** Stores a report with the fact that tells of it; a second delivery answers the first report. */
async function store(
  deps: ReportContentDeps,
  reportKind: ReportKind,
  context: Context,
  insert: (transaction: Transaction<RoomserverTables>) => Promise<number>,
): Promise<Reported> {
  const { output, position } = await transact(deps.db, async (transaction) => {
    const output = { reportId: await insert(transaction) };
    await context.remember(transaction, output);
    const fact: RoomserverFact = { kind: 'content_reported', ...output, reportKind };
    return { output, position: await appendToLog(transaction, roomserver.roomserverOutput.table, [fact]) };
  });
  deps.bus.wake(roomserver.roomserverOutput, position);
  return output;
}
