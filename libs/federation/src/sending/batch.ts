import { createHash } from 'node:crypto';

import { type JsonValue, parseJson } from '@seneschal/matrix';

import { nextEdus, takeEphemeral, type WaitingEdu } from '../storage/edus.ts';
import { nextEvents } from '../storage/queue.ts';
import type { FederationDb } from '../storage/tables.ts';

/** What goes to a server in one transaction. */
export interface Batch {
  pdus: { position: number; json: string }[];
  /** Durable ones: kept until the server has them. */
  edus: WaitingEdu[];
  /** Sent once or not at all. */
  ephemeral: string[];
}

/** Server-server API, "Transactions". */
const maximumPdus = 50;
const maximumEdus = 100;
/** Of EDUs, which have no bound of their own: one that is larger goes alone. */
const maximumEduBytes = 1024 * 1024;

/** Takes what is next for a server; undefined when there is nothing. */
export async function takeBatch(db: FederationDb, serverName: string): Promise<Batch | undefined> {
  const { pdus, hasEdus, hasEphemeral } = await nextEvents(db, serverName, maximumPdus);
  const edus = hasEdus ? withinBytes(await nextEdus(db, serverName, maximumEdus)) : [];
  const ephemeral = hasEphemeral ? await takeEphemeral(db, serverName, maximumEdus - edus.length) : [];
  return pdus.length + edus.length + ephemeral.length === 0 ? undefined : { pdus, edus, ephemeral };
}

/** Whether more may wait for the server than fitted in. */
export function isFull({ pdus, edus, ephemeral }: Batch): boolean {
  return pdus.length === maximumPdus || edus.length + ephemeral.length === maximumEdus;
}

function withinBytes(edus: readonly WaitingEdu[]): WaitingEdu[] {
  let bytes = 0;
  const end = edus.findIndex(({ json }, index) => {
    bytes += Buffer.byteLength(json);
    return index > 0 && bytes > maximumEduBytes;
  });
  return edus.slice(0, end === -1 ? edus.length : end);
}

/** Parts of a batch, in order: its events, then halves of its EDUs. None when it is one EDU alone. */
export function apart({ pdus, edus }: Batch): Batch[] {
  if (pdus.length > 0) {
    return [{ pdus, edus: [], ephemeral: [] }, onlyEdus(edus)];
  }
  const half = Math.ceil(edus.length / 2);
  return edus.length <= 1 ? [] : [edus.slice(0, half), edus.slice(half)].map(onlyEdus);
}

function onlyEdus(edus: WaitingEdu[]): Batch {
  return { pdus: [], edus, ephemeral: [] };
}

/** The same content has the same transaction ID, so that a repetition is known for one, and nothing else is taken for one. */
export function transactionId({ pdus, edus, ephemeral }: Batch): string {
  const hash = createHash('sha256');
  for (const { position } of pdus) hash.update(`p${position}`);
  for (const { eduId } of edus) hash.update(`e${eduId}`);
  for (const json of ephemeral) hash.update(`t${json.length} ${json}`);
  return hash.digest('base64url').slice(0, 32);
}

export function contentOf({ pdus, edus, ephemeral }: Batch): { pdus: JsonValue[]; edus?: JsonValue[] } {
  const texts = [...edus.map(({ json }) => json), ...ephemeral];
  const parsed = { pdus: pdus.map(({ json }) => parseJson(json)) };
  return texts.length === 0 ? parsed : { ...parsed, edus: texts.map((json) => parseJson(json)) };
}
