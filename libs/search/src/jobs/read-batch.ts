import { Buffer } from 'node:buffer';

import type { RoomserverForSearch } from '@seneschal/contracts';

import { changesOf, type ChangesDeps } from '../documents/changes.ts';
import { searchableTypeNames, type SearchDocument } from '../documents/document.ts';

export interface ReadDeps extends ChangesDeps {
  roomserver: Pick<RoomserverForSearch, 'eventsById' | 'eventsOfTypes'>;
}

export interface ReadRange {
  after: number;
  upTo: number;
}

/** A part of the event log, as documents. */
export interface Batch {
  after: number;
  documents: SearchDocument[];
  /** The last position that was read; undefined at the end of the range. */
  last: number | undefined;
  /** Events that were read. */
  events: number;
  /** Documents of the events that were read, without those that an edit has brought up once more. */
  indexed: number;
  /** IDs of events whose stored text cannot be read. */
  unreadable: string[];
}

/** Events are read in small pages, so that a log of the largest events there can be does not fill the memory. */
const pageSize = 1000;
const maximumBytes = 16_000_000;

/** Reads on until there are `size` documents, or many bytes of them, or nothing more. */
export async function readBatch(deps: ReadDeps, range: ReadRange, size: number): Promise<Batch> {
  const documents = new Map<string, SearchDocument>();
  const batch: Omit<Batch, 'documents'> = {
    after: range.after,
    last: range.after,
    events: 0,
    indexed: 0,
    unreadable: [],
  };
  for (let bytes = 0; documents.size < size && bytes < maximumBytes;) {
    const page = { types: searchableTypeNames, after: batch.last ?? 0, upTo: range.upTo, limit: pageSize };
    const events = await deps.roomserver.eventsOfTypes(page);
    const { put } = await changesOf(deps, events);
    const read = new Set(events.map((event) => event.eventId));
    for (const document of put) {
      documents.set(document.eventId, document);
      bytes += Buffer.byteLength(document.text);
      if (read.has(document.eventId)) batch.indexed += 1;
    }
    batch.events += events.length;
    batch.unreadable.push(...events.filter(({ pdu }) => pdu === undefined).map((event) => event.eventId));
    batch.last = events.length < pageSize ? undefined : events.at(-1)?.position;
    if (batch.last === undefined) break;
  }
  return { ...batch, documents: [...documents.values()] };
}

/** Reads the next batch of a job while the one before is being indexed. */
export class ReadAhead {
  readonly #batches = new Map<string, { after: number; batch: Promise<Batch> }>();

  /** The batch of a range, read already if it was foreseen. */
  async take(jobId: string, range: ReadRange, read: (range: ReadRange) => Promise<Batch>): Promise<Batch> {
    const foreseen = this.#batches.get(jobId);
    this.#batches.delete(jobId);
    return foreseen?.after === range.after ? foreseen.batch : read(range);
  }

  foresee(jobId: string, range: ReadRange, read: (range: ReadRange) => Promise<Batch>): void {
    const batch = read(range);
    // Whoever takes it is told; nobody may, when the job is taken over.
    batch.catch(() => undefined);
    this.#batches.set(jobId, { after: range.after, batch });
  }

  forget(jobId: string): void {
    this.#batches.delete(jobId);
  }
}
