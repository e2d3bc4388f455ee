import type { CallBus } from '@seneschal/bus';
import { roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import { isMatrixError, type JsonObject, own, type RoomVersion } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import { type VerifyDeps, verifyPdus } from '../events/verify-pdus.ts';
import type { FederationClient } from '../transport/federation-client.ts';

export interface ReceiveInRoomDeps extends VerifyDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
  roomserver: Pick<RoomserverForFederation, 'forwardExtremities'>;
  logger: Pick<Logger, 'warn'>;
}

export interface RoomDelivery {
  roomId: string;
  version: RoomVersion;
  origin: string;
  isRelayed: boolean;
  /** By event ID; their signatures have been checked. */
  pdus: ReadonlyMap<string, JsonObject>;
}

type Results = Awaited<ReturnType<typeof send>>;
type Result = Results extends Map<string, infer R> ? R : never;

/** Events between ours and a new one that are asked for at the most. */
const maximumGap = 50;
/** Events of one delivery for which something is fetched: as a rule the first one's gap is that of all. */
const maximumFetches = 5;
const timeoutMs = 30_000;
/** The state of a room may be large. */
const stateBytes = 64 * 1024 * 1024;

/**
 * Takes events into a room, and what they lack with them: their auth events, the events between them and ours, and,
 * where the gap is wider than that, the state before the first event after it. The work for one delivery is bounded: so
 * many requests, to the server that sent it, and so many events. Answers what became of each event.
 */
export async function receiveInRoom(deps: ReceiveInRoomDeps, delivery: RoomDelivery): Promise<Results> {
  const results = await send(deps, delivery, delivery.pdus);
  const lacking = [...results.values()].filter(isLacking);
  if (lacking.length === 0) return results;
  let fetches = 0;
  for (const result of lacking) {
    const pdu = delivery.pdus.get(result.eventId);
    // An earlier one of this delivery may have brought what this one lacked.
    const before = pdu && (await send(deps, delivery, new Map([[result.eventId, pdu]]))).get(result.eventId);
    if (pdu === undefined || before === undefined) continue;
    const isFetched = isLacking(before) && (fetches += 1) <= maximumFetches;
    results.set(result.eventId, isFetched ? await fillIn(deps, delivery, before, pdu) : before);
  }
  return results;
}

function isLacking(result: Result): boolean {
  return result.outcome === 'missing';
}

async function send(
  { bus }: Pick<ReceiveInRoomDeps, 'bus'>,
  { roomId, origin, isRelayed }: RoomDelivery,
  pdus: ReadonlyMap<string, JsonObject>,
  more: { outliers?: readonly JsonObject[]; stateBefore?: ReadonlyMap<string, string[]> } = {},
) {
  const events = [...pdus].map(([eventId, pdu]) => {
    const stateBefore = more.stateBefore?.get(eventId);
    return { pdu, ...(stateBefore === undefined ? {} : { stateBefore }) };
  });
  const outliers = [...(more.outliers ?? [])];
  const { results } = await bus.call(roomserver.receiveEvents, {
    roomId,
    origin,
    isRelayed,
    events,
    outliers,
  });
  return new Map(results.map((result) => [result.eventId, result]));
}

/** Fetches what one event lacks. When that fails, the event stays out, and may come again. */
async function fillIn(
  deps: ReceiveInRoomDeps,
  delivery: RoomDelivery,
  lacking: Result,
  pdu: JsonObject,
): Promise<Result> {
  const { eventId } = lacking;
  const own = new Map([[eventId, pdu]]);
  try {
    const outliers =
      (lacking.authEvents ?? []).length === 0 ? [] : await fetchAuthChain(deps, delivery, eventId);
    const gap = (lacking.prevEvents ?? []).length === 0 ? [] : await fetchGap(deps, delivery, eventId);
    const between = new Map([...gap, ...own]);
    const results = await send(deps, delivery, between, { outliers });
    const first = [...results.values()].find(isLacking);
    if (first === undefined) return results.get(eventId) ?? lacking;
    return await jump(deps, delivery, first.eventId, between);
  } catch (error) {
    deps.logger.warn({ error, eventId, origin: delivery.origin }, 'what an event lacks could not be fetched');
    return lacking;
  }
}

/** Goes on after a gap from the state that the other server tells of its far side. */
async function jump(
  deps: ReceiveInRoomDeps,
  delivery: RoomDelivery,
  firstId: string,
  between: ReadonlyMap<string, JsonObject>,
): Promise<Result> {
  const { state, outliers } = await fetchState(deps, delivery, firstId);
  const lastId = [...between.keys()].at(-1) ?? firstId;
  const ids = [...between.keys()];
  const rest = new Map([...between].slice(ids.indexOf(firstId)));
  const stateBefore = new Map([[firstId, state]]);
  const results = await send(deps, delivery, rest, { outliers, stateBefore });
  return results.get(lastId) ?? { eventId: lastId, outcome: 'missing' };
}

async function fetchAuthChain(
  deps: ReceiveInRoomDeps,
  { roomId, version, origin }: RoomDelivery,
  eventId: string,
): Promise<JsonObject[]> {
  const answer = await deps.client.send({
    destination: origin,
    method: 'GET',
    uri: `/_matrix/federation/v1/event_auth/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`,
    timeoutMs,
  });
  const { pdus } = await verifyPdus(deps, { roomId, version }, listOf(answer, 'auth_chain'));
  return [...pdus.values()];
}

/** The events between ours and one of theirs, the oldest first. */
async function fetchGap(
  deps: ReceiveInRoomDeps,
  { roomId, version, origin }: RoomDelivery,
  eventId: string,
): Promise<Map<string, JsonObject>> {
  const answer = await deps.client.send({
    destination: origin,
    method: 'POST',
    uri: `/_matrix/federation/v1/get_missing_events/${encodeURIComponent(roomId)}`,
    content: {
      earliest_events: await deps.roomserver.forwardExtremities(roomId),
      latest_events: [eventId],
      limit: maximumGap,
      min_depth: 0,
    },
    timeoutMs,
  });
  const events = listOf(answer, 'events').slice(0, maximumGap);
  const { pdus } = await verifyPdus(deps, { roomId, version }, events);
  pdus.delete(eventId);
  return new Map([...pdus].sort(([, a], [, b]) => depthOf(a) - depthOf(b)));
}

async function fetchState(
  deps: ReceiveInRoomDeps,
  { roomId, version, origin }: RoomDelivery,
  eventId: string,
): Promise<{ state: string[]; outliers: JsonObject[] }> {
  const answer = await deps.client.send({
    destination: origin,
    method: 'GET',
    uri: `/_matrix/federation/v1/state/${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(eventId)}`,
    timeoutMs: timeoutMs * 2,
    maxBytes: stateBytes,
  });
  const room = { roomId, version };
  const state = await verifyPdus(deps, room, listOf(answer, 'pdus'));
  const authChain = await verifyPdus(deps, room, listOf(answer, 'auth_chain'));
  const outliers = new Map([...authChain.pdus, ...state.pdus]);
  return { state: [...state.pdus.keys()], outliers: [...outliers.values()] };
}

export function listOf(answer: unknown, key: string): unknown[] {
  const listed = own(answer, key);
  return Array.isArray(listed) ? listed : [];
}

function depthOf(pdu: JsonObject): number {
  return typeof pdu['depth'] === 'number' ? pdu['depth'] : 0;
}

/** What another server is told of an event that was not taken; undefined when it was. */
export function errorOf({ outcome, reason }: Result): string | undefined {
  if (outcome === 'rejected') return reason ?? 'The event was rejected.';
  if (outcome === 'missing') return 'What the event refers to could not be fetched.';
  // A soft-failed event was received: that nobody sees it is no matter of its sender.
  return undefined;
}

export function reasonOf(error: unknown): string {
  return isMatrixError(error) ? error.message : 'Internal server error.';
}
