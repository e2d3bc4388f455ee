import type { Kysely } from 'kysely';

import type { IndexFault, RoomserverForSearch, SearchStatus } from '@seneschal/contracts';

import { lookAt } from '../documents/changes.ts';
import { searchableTypeNames } from '../documents/document.ts';
import { EngineRefused, EngineUnavailable, IndexMissing, type SearchEngine } from '../engines/engine.ts';
import type { Engines } from '../engines/open-engines.ts';
import { openIndexes, type StoredIndex } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';

export interface StatusDeps {
  db: Kysely<SearchTables>;
  engines: Engines;
  roomserver: Pick<RoomserverForSearch, 'eventsOfTypes' | 'eventsById' | 'position'>;
}

interface Asked {
  compare: boolean;
  roomId?: string;
}

type Comparison = NonNullable<SearchStatus['comparison']>;

const pageSize = 1000;
/** Documents of the events of one page; what is more, there is no event for. */
const documentsPerPage = 10_000;
const comparingMs = 20_000;
const mostExamples = 10;
/** An index that is looked at may be swapped for another and dropped meanwhile. */
const attempts = 3;

/** How the index is. The engine's absence is a part of the answer; a new index in place of it is looked at anew. */
export async function status(deps: StatusDeps, asked: Asked): Promise<SearchStatus> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await lookOnce(deps, asked);
    } catch (error) {
      if (attempt >= attempts || !(error instanceof IndexMissing)) throw error;
    }
  }
}

async function lookOnce(deps: StatusDeps, asked: Asked): Promise<SearchStatus> {
  const [engine, indexes] = await Promise.all([describe(deps.engines.preferred), openIndexes(deps.db)]);
  const live = indexes.find((index) => index.state === 'live');
  const building = indexes.find((index) => index.state === 'building');
  return {
    isOn: true,
    ...engine,
    ...(live === undefined ? {} : await described(deps, live, asked)),
    ...(building === undefined ? {} : { building: building.generation }),
  };
}

async function describe(engine: SearchEngine): Promise<Pick<SearchStatus, 'engine' | 'problem'>> {
  return orProblem(async () => ({ engine: await engine.describe() }));
}

async function orProblem<T extends object>(work: () => Promise<T>): Promise<T | { problem: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineUnavailable || error instanceof EngineRefused)
      return { problem: error.message };
    throw error;
  }
}

async function described(
  deps: StatusDeps,
  live: StoredIndex,
  asked: Asked,
): Promise<Pick<SearchStatus, 'index' | 'comparison'>> {
  const { generation, engine: name, language, position } = live;
  const engine = deps.engines.of(name);
  const index = { generation, engine: name, language, position, latest: await deps.roomserver.position() };
  const rooms = asked.roomId === undefined ? undefined : [asked.roomId];
  if (engine === undefined) return { index };
  const more = await orProblem(async () => ({
    index: { ...index, documents: await engine.count(live, rooms) },
    ...(asked.compare ? { comparison: await compare(deps, { live, engine }, asked.roomId) } : {}),
  }));
  return { index, ...more };
}

/** Walks through both in order of position, a page of events and their documents at a time. */
async function compare(
  deps: StatusDeps,
  { live, engine }: { live: StoredIndex; engine: SearchEngine },
  roomId: string | undefined,
): Promise<Comparison> {
  const end = Date.now() + comparingMs;
  const comparison: Comparison = {
    expected: 0,
    missing: nothing(),
    stale: nothing(),
    orphaned: nothing(),
    isComplete: false,
  };
  const ofRoom = roomId === undefined ? {} : { roomId };
  for (let after = 0; Date.now() < end;) {
    const page = { types: searchableTypeNames, after, upTo: live.position, limit: pageSize, ...ofRoom };
    const events = await deps.roomserver.eventsOfTypes(page);
    const isLast = events.length < pageSize;
    const upTo = isLast ? live.position : (events.at(-1)?.position ?? live.position);
    const ids = events.map((event) => event.eventId);
    const { put } = await lookAt(deps, ids, events);
    const documents = await engine.documentsBetween(live, { after, upTo, ...ofRoom }, documentsPerPage);
    const expected = new Map(put.map((document) => [document.eventId, document.text]));
    const found = new Map(documents.map((document) => [document.eventId, document.text]));
    judge(comparison, expected, found);
    comparison.isComplete = isLast;
    if (isLast) break;
    after = upTo;
  }
  return comparison;
}

function judge(
  comparison: Comparison,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): void {
  comparison.expected += expected.size;
  for (const [eventId, text] of expected) {
    const held = found.get(eventId);
    if (held === undefined) add(comparison.missing, eventId);
    else if (held !== text) add(comparison.stale, eventId);
  }
  for (const eventId of found.keys()) {
    if (!expected.has(eventId)) add(comparison.orphaned, eventId);
  }
}

function nothing(): IndexFault {
  return { count: 0, examples: [] };
}

function add(fault: IndexFault, eventId: string): void {
  fault.count += 1;
  if (fault.examples.length < mostExamples) fault.examples.push(eventId);
}
