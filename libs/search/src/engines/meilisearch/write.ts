import type { Index } from 'meilisearch';

import type { SearchDocument } from '../../documents/document.ts';
import { EngineUnavailable } from '../engine.ts';
import { keyOf, type Payload, payloadsOf } from './documents.ts';
import { failure, type MeilisearchServer } from './server.ts';

/**
 * Puts documents in and waits until they can be found. Answers the events whose documents Meilisearch refuses:
 * it refuses a whole batch for one of them, so a refused batch is halved until those are found.
 */
export async function addDocuments(
  server: MeilisearchServer,
  index: Index,
  documents: readonly SearchDocument[],
  timeoutMs: number,
): Promise<string[]> {
  const refused: string[] = [];
  for (const payload of payloadsOf(documents)) {
    refused.push(...(await addPayload(server, index, payload, timeoutMs)));
  }
  return refused;
}

async function addPayload(
  server: MeilisearchServer,
  index: Index,
  { documents, text }: Payload,
  timeoutMs: number,
): Promise<string[]> {
  const task = await server.finish(
    () => index.addDocumentsFromString(text, 'application/x-ndjson', { primaryKey: 'id' }),
    timeoutMs,
  );
  if (task.status === 'succeeded') {
    const indexed = task.details?.indexedDocuments ?? 0;
    if (indexed === documents.length) return [];
    throw new EngineUnavailable(`Meilisearch took ${indexed} of ${documents.length} documents.`);
  }
  if (task.error?.type !== 'invalid_request' || task.error.code === 'index_not_found') throw failure(task);
  const [only] = documents;
  if (only !== undefined && documents.length === 1) return [only.eventId];
  const middle = Math.ceil(documents.length / 2);
  return [
    ...(await addDocuments(server, index, documents.slice(0, middle), timeoutMs)),
    ...(await addDocuments(server, index, documents.slice(middle), timeoutMs)),
  ];
}

/** By ID: a deletion by a filter would not be done together with what comes before and after it. */
export async function deleteDocuments(
  server: MeilisearchServer,
  index: Index,
  eventIds: readonly string[],
  timeoutMs: number,
): Promise<void> {
  if (eventIds.length === 0) return;
  await server.succeed(() => index.deleteDocuments(eventIds.map(keyOf)), timeoutMs);
}
