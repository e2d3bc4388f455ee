import type { Index } from 'meilisearch';

import { type EngineQuery, type IndexRef, IndexMissing, type SearchEngine } from '../engine.ts';
import { keyOf, type MeilisearchDocument } from './documents.ts';
import { scopesOf } from './filter.ts';
import { searchIndex } from './search.ts';
import { type MeilisearchConfig, MeilisearchServer } from './server.ts';
import { applySettings } from './settings.ts';
import { addDocuments, deleteDocuments } from './write.ts';

/** A change waits within the transaction of its checkpoint, which PostgreSQL ends after 30 seconds. */
const writeTimeoutMs = 20_000;
/** What waits behind much that was asked for before. */
const longTimeoutMs = 600_000;
/** Writes after which the tasks of finished ones are deleted: Meilisearch keeps them, and takes ever longer. */
const writesBetweenCleanings = 500;
const keepTasksMs = 3_600_000;

/** Meilisearch, through its JavaScript client. Each index of ours is one of its indexes. */
export function meilisearchEngine(config: MeilisearchConfig): SearchEngine {
  const server = new MeilisearchServer(config);
  const uidOf = ({ name }: IndexRef): string => `${config.prefix}_events_${name}`;
  const indexOf = (index: IndexRef): Index<MeilisearchDocument> => server.client.index(uidOf(index));
  const clean = taskCleaner(server);
  return {
    name: 'meilisearch',
    loadSize: 20_000,
    describe: async () => `Meilisearch ${(await server.version()).text}`,
    create: async (index) => {
      const create = (): ReturnType<typeof server.client.createIndex> =>
        server.client.createIndex(uidOf(index), { primaryKey: 'id' });
      await server.succeed(create, longTimeoutMs, (code) => code === 'index_already_exists');
      await applySettings(server, indexOf(index), index);
    },
    write: async (_, index, { put, remove }) => {
      const refused = await addDocuments(server, indexOf(index), put, writeTimeoutMs);
      await deleteDocuments(server, indexOf(index), remove, writeTimeoutMs);
      clean(uidOf(index));
      return refused;
    },
    load: (_, index, documents) => addDocuments(server, indexOf(index), documents, longTimeoutMs),
    complete: () => Promise.resolve(),
    removeRoom: async (_, index, roomId) => {
      const filter = `room = "${keyOf(roomId)}"`;
      const task = await server.succeed(() => indexOf(index).deleteDocuments({ filter }), writeTimeoutMs);
      return task.details?.deletedDocuments ?? 0;
    },
    count: (index, roomIds) => count(server, indexOf(index), roomIds),
    documentsBetween: (...asked) => documentsBetween(server, indexOf(asked[0]), ...asked),
    search: (index: IndexRef, query: EngineQuery) => searchIndex(server, indexOf(index), query),
    drop: async (index) => {
      const drop = (): ReturnType<typeof server.client.deleteIndex> =>
        server.client.deleteIndex(uidOf(index));
      await server.succeed(drop, longTimeoutMs, (code) => code === 'index_not_found').catch(ifMissing);
      await deleteTasks(server, { indexUids: [uidOf(index)] });
    },
  };
}

async function documentsBetween(
  server: MeilisearchServer,
  index: Index<MeilisearchDocument>,
  ...[, { after, upTo, roomId }, limit]: Parameters<SearchEngine['documentsBetween']>
): ReturnType<SearchEngine['documentsBetween']> {
  const filter = [
    `position > ${after}`,
    ...(Number.isFinite(upTo) ? [`position <= ${upTo}`] : []),
    ...(roomId === undefined ? [] : [`room = "${keyOf(roomId)}"`]),
  ];
  const sort = ['position:asc'];
  const attributesToRetrieve = ['event_id', 'position', 'text'];
  const found = await server.ask(() =>
    index.search<MeilisearchDocument>('', { filter, limit, sort, attributesToRetrieve }),
  );
  return found.hits.map((one) => ({ eventId: one.event_id, position: one.position, text: one.text }));
}

/** Deletes, now and then and in the background, what Meilisearch remembers of writes that have ended long ago. */
function taskCleaner(server: MeilisearchServer): (uid: string) => void {
  let writes = 0;
  return (uid) => {
    writes += 1;
    if (writes % writesBetweenCleanings !== 0) return;
    const beforeFinishedAt = new Date(Date.now() - keepTasksMs).toISOString();
    void deleteTasks(server, { indexUids: [uid], beforeFinishedAt });
  };
}

/** Only saves room, so that a failure is no matter: the next time does it. */
async function deleteTasks(
  server: MeilisearchServer,
  which: { indexUids: string[]; beforeFinishedAt?: string },
): Promise<void> {
  const statuses = ['succeeded', 'failed', 'canceled'] as const;
  await server
    .ask(() => server.client.tasks.deleteTasks({ ...which, statuses: [...statuses] }))
    .catch(() => undefined);
}

function ifMissing(error: unknown): void {
  if (!(error instanceof IndexMissing)) throw error;
}

async function count(
  server: MeilisearchServer,
  index: Index<MeilisearchDocument>,
  roomIds: readonly string[] | undefined,
): Promise<number> {
  if (roomIds === undefined) return (await server.ask(() => index.getStats())).numberOfDocuments;
  let sum = 0;
  for (const [filter] of scopesOf(roomIds.map((roomId) => ({ roomId, from: 0, to: Infinity })))) {
    if (filter === undefined) continue;
    sum += (await server.ask(() => index.getDocuments({ filter, limit: 1 }))).total;
  }
  return sum;
}
