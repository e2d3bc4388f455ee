import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import { type FederationForRoomserver, importRoomJob, roomserver } from '@seneschal/contracts';
import { handleJob, type JobHandler, type StepAnswer, type StepContext } from '@seneschal/jobs';
import { isMatrixError, type Signer } from '@seneschal/matrix';

import { ArchiveChecker, wrong } from '../archive/check-lines.ts';
import type { ArchiveFiles } from '../archive/files.ts';
import { ForeignSignatures } from '../archive/foreign-signatures.ts';
import type { ArchiveLine } from '../archive/lines.ts';
import { publishArchive } from '../archive/publish.ts';
import { ArchiveReaders } from '../archive/reader.ts';
import {
  abandonImport,
  type ArchivedEvent,
  openImport,
  roomInUse,
  storeEvents,
} from '../archive/store-lines.ts';
import { isPurgeable } from '../queries/is-purgeable.ts';
import { parsePdu } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

export interface ImportDeps {
  db: Kysely<RoomserverTables>;
  bus: WakeBus;
  files: ArchiveFiles;
  signer: Signer;
  federation: FederationForRoomserver;
}

/** What the checking of an archive knows between two steps. */
interface Checking {
  lines: ArchiveChecker;
  foreign: ForeignSignatures;
}

type Context = StepContext<z.infer<typeof importRoomJob.input>>;

/** Lines of one step: some 100 ms of checking signatures. */
const linesPerStep = 500;

/**
 * Restores a room: all of the archive is checked before anything is stored, the events are stored where nobody
 * sees them, and one transaction then opens the room to its members.
 */
export function importRoom(deps: ImportDeps): JobHandler {
  const readers = new ArchiveReaders(deps.files);
  const checkers = new Map<string, Checking>();
  return handleJob(importRoomJob, {
    check: (context) => check(deps, readers, checkers, context),
    store: (context) => unlessRehearsed(deps, context, () => store(readers, context)),
    publish: (context) => unlessRehearsed(deps, context, () => publish(deps, context)),
  });
}

/** Nothing is stored yet, so whoever takes the job over begins again. */
async function check(
  deps: ImportDeps,
  readers: ArchiveReaders,
  checkers: Map<string, Checking>,
  context: Context,
): Promise<StepAnswer> {
  const { jobId, input } = context;
  await deps.files.check(input.file);
  const known = checkers.get(jobId);
  const checking = known ?? {
    lines: new ArchiveChecker(deps.signer),
    foreign: new ForeignSignatures(deps.federation),
  };
  const reader = await readers.at(jobId, input.file, known === undefined ? 0 : checking.lines.number);
  checkers.set(jobId, checking);
  try {
    const lines = await reader.take(linesPerStep);
    if (lines.length > 0) {
      await checkLines(checking, lines);
      await context.commit(async () => ({ cursor: checking.lines.number }));
      return 'again';
    }
    await finishCheck(deps, context, checking);
  } catch (error) {
    checkers.delete(jobId);
    await readers.close(jobId);
    throw error;
  }
  checkers.delete(jobId);
  await readers.close(jobId);
  return 'done';
}

async function checkLines({ lines, foreign }: Checking, texts: readonly string[]): Promise<void> {
  for (const text of texts) lines.check(text);
  const bad = await foreign.check(lines.takeForeign());
  if (bad !== undefined) throw wrong(bad.number, 'has an event that its server has not signed');
}

/** What the archive holds is known; unless it is a rehearsal, the room is made, and nobody sees it yet. */
async function finishCheck(deps: ImportDeps, context: Context, checking: Checking): Promise<void> {
  const { room, lines, damaged, counts } = checking.lines.summary();
  const found = { room_id: room.room_id, damaged, unverified: checking.foreign.unverified };
  if (context.input.dryRun) {
    const there = await isPurgeable(deps, room.room_id);
    if (there) throw roomInUse();
    await context.commit(async () => ({ result: { ...found, counts: { ...counts } } }));
    return;
  }
  await context.commit<RoomserverTables>(async (transaction) => {
    const roomNid = await openImport(transaction, room);
    return { total: counts.events, result: { ...found, room_nid: roomNid, lines } };
  });
}

/** What makes the job fail for good takes what was stored with it. */
async function unlessRehearsed(
  deps: ImportDeps,
  context: Context,
  step: () => Promise<StepAnswer>,
): Promise<StepAnswer> {
  if (context.input.dryRun) return 'done';
  try {
    return await step();
  } catch (error) {
    if (isMatrixError(error)) await abandonImport(deps.db, roomNidOf(context));
    throw error;
  }
}

async function store(readers: ArchiveReaders, context: Context): Promise<StepAnswer> {
  const number = Number(context.cursor ?? 0);
  const reader = await readers.at(context.jobId, context.input.file, number);
  const texts = await reader.take(linesPerStep);
  const lines = texts.map((text) => JSON.parse(text) as ArchiveLine);
  const events = lines.flatMap((line): ArchivedEvent[] => {
    const pdu = line.kind === 'event' ? parsePdu(line.json) : undefined;
    return line.kind === 'event' && pdu !== undefined ? [{ line, pdu }] : [];
  });
  await context.commit<RoomserverTables>(async (transaction) => {
    if (events.length > 0) await storeEvents(transaction, roomNidOf(context), events);
    return { cursor: reader.number, done: events.length };
  });
  const isBehindEvents = lines.length === 0 || lines.some(({ kind }) => kind !== 'room' && kind !== 'event');
  if (!isBehindEvents) return 'again';
  await readers.close(context.jobId);
  return 'done';
}

async function publish(deps: ImportDeps, context: Context): Promise<StepAnswer> {
  let position = 0;
  await context.commit<RoomserverTables>(async (transaction) => {
    const lines = deps.files.lines(context.input.file);
    position = await publishArchive(transaction, roomNidOf(context), lines, deps.signer.serverName);
    return { result: { position } };
  });
  deps.bus.wake(roomserver.roomserverOutput, position);
  return 'done';
}

/** Of the row that the first phase has made. */
function roomNidOf(context: Context): number {
  return Number(context.result['room_nid']);
}
