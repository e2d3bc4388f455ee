import type { Index, Task } from 'meilisearch';

import type { SearchDocument } from '../../documents/document.ts';
import { EngineUnavailable } from '../engine.ts';
import { keyOf, maximumPayloadBytes, type Payload, payloadsOf, toMeilisearch } from './documents.ts';
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
  encode = toMeilisearch,
): Promise<string[]> {
  const refused: string[] = [];
  for (const payload of payloadsOf(documents, maximumPayloadBytes, encode)) {
    const task = await server.finish(
      () => index.addDocumentsFromString(payload.text, 'application/x-ndjson', { primaryKey: 'id' }),
      timeoutMs,
    );
    const halves = judge(task, payload);
    if (halves === undefined) continue;
    if (halves.length === 1) refused.push(...payload.documents.map((document) => document.eventId));
    else
      for (const half of halves)
        refused.push(...(await addDocuments(server, index, half, timeoutMs, encode)));
  }
  return refused;
}

/**
 * What is left to be tried of a payload: nothing when it is in, one part when it is a document that is refused,
 * else its halves. Throws when the failure has nothing to do with the documents.
 */
function judge(task: Task, { documents }: Payload): SearchDocument[][] | undefined {
  if (task.status === 'succeeded') {
    const indexed = task.details?.indexedDocuments ?? 0;
    if (indexed === documents.length) return undefined;
    throw new EngineUnavailable(`Meilisearch took ${indexed} of ${documents.length} documents.`);
  }
  if (task.error?.type !== 'invalid_request' || task.error.code === 'index_not_found') throw failure(task);
  if (documents.length === 1) return [documents];
  const middle = Math.ceil(documents.length / 2);
  return [documents.slice(0, middle), documents.slice(middle)];
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
