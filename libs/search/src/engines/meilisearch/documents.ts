import { createHash } from 'node:crypto';

import type { SearchDocument } from '../../documents/document.ts';

/** A document as Meilisearch holds it. */
export interface MeilisearchDocument {
  id: string;
  event_id: string;
  room: string;
  sender: string;
  type: string;
  position: number;
  has_url: boolean;
  text: string;
}

/**
 * What stands for an identifier in Meilisearch, as the ID of a document or a value to filter by. Matrix
 * identifiers may hold characters that a document ID may not, and quotes; this is always 43 of A-Z, a-z, 0-9,
 * `-` and `_`, so that no filter needs escaping and none can be got out of.
 */
export function keyOf(identifier: string): string {
  return createHash('sha256').update(identifier).digest('base64url');
}

export function toMeilisearch(document: SearchDocument): MeilisearchDocument {
  return {
    id: keyOf(document.eventId),
    event_id: document.eventId,
    room: keyOf(document.roomId),
    sender: keyOf(document.sender),
    type: document.type,
    position: document.position,
    has_url: document.hasUrl,
    text: document.text,
  };
}

/** Meilisearch takes 100 MB at a time unless set otherwise; this keeps its memory and ours small, too. */
export const maximumPayloadBytes = 20_000_000;

/** One request's documents, as lines of JSON. */
export interface Payload {
  documents: SearchDocument[];
  text: string;
}

/** Documents as payloads below a size; a single document is always below it, as events are. */
export function payloadsOf(
  documents: readonly SearchDocument[],
  maximumBytes: number = maximumPayloadBytes,
  encode: (document: SearchDocument) => object = toMeilisearch,
): Payload[] {
  const payloads: Payload[] = [];
  let lines: string[] = [];
  let taken: SearchDocument[] = [];
  let bytes = 0;
  const close = (): void => {
    if (taken.length > 0) payloads.push({ documents: taken, text: lines.join('\n') });
    lines = [];
    taken = [];
    bytes = 0;
  };
  for (const document of documents) {
    const line = JSON.stringify(encode(document));
    const size = Buffer.byteLength(line) + 1;
    if (bytes + size > maximumBytes) close();
    lines.push(line);
    taken.push(document);
    bytes += size;
  }
  close();
  return payloads;
}
