import type { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { type federation, roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import {
  forbidden,
  isMatrixError,
  type JsonObject,
  MatrixError,
  notFound,
  roomVersion,
  type RoomVersion,
} from '@seneschal/matrix';

import { type VerifyDeps, verifyPdus } from '../events/verify-pdus.ts';
import { listOf } from '../inbound/receive-in-room.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

type Input = z.infer<typeof federation.rehearseDownload.input>;
type Output = z.infer<typeof federation.rehearseDownload.output>;

export interface DownloadStateDeps extends VerifyDeps {
  bus: CallBus;
  client: Pick<FederationClient, 'send'>;
  roomserver: Pick<RoomserverForFederation, 'federatedRoom' | 'forwardExtremities'>;
}

interface Told {
  states: { before: string; state: string[] }[];
  /** Events of all states and their auth chains, by event ID. */
  events: Map<string, JsonObject>;
  refused: Map<string, string>;
  notTold: { eventId: string; reason: string }[];
}

const timeoutMs = 120_000;
const maximumBytes = 128 * 1024 * 1024;

/**
 * Asks a server for the state before each forward extremity of a room, verifies every event, and has what is believed
 * resolved against the room's state. Naturally idempotent. M_NOT_FOUND for a room of which there is no history here,
 * M_FORBIDDEN while it is being deleted; 502 M_UNKNOWN with the reason when the server tells no state at all.
 */
export async function downloadState(
  deps: DownloadStateDeps,
  { roomId, serverName, isRehearsal }: Input & { isRehearsal: boolean },
): Promise<Output> {
  const room = await deps.roomserver.federatedRoom(roomId);
  const ends = await deps.roomserver.forwardExtremities(roomId);
  if (room === undefined || ends.length === 0)
    throw notFound('There is no such room, or nothing of it here.');
  if (room.isClosed) throw forbidden('An administrator is deleting or restoring this room.');
  const version = roomVersion(room.roomVersion);
  const told: Told = { states: [], events: new Map(), refused: new Map(), notTold: [] };
  for (const eventId of ends) await ask(deps, { roomId, version }, { serverName, eventId, told });
  if (told.states.length === 0) {
    const reason = told.notTold[0]?.reason ?? 'it told nothing';
    throw new MatrixError(502, 'M_UNKNOWN', `${serverName} did not tell the state of the room: ${reason}`);
  }
  const merged = await deps.bus.call(roomserver.mergeState, {
    ...{ roomId, origin: serverName, isRehearsal },
    states: told.states,
    events: [...told.events.values()],
  });
  const refused = [...told.refused].map(([eventId, reason]) => ({ eventId, reason }));
  return {
    changes: merged.changes,
    dropped: [...refused, ...merged.refused],
    newEvents: merged.newEvents,
    asked: told.states.map(({ before }) => before),
    notTold: told.notTold,
  };
}

async function ask(
  deps: DownloadStateDeps,
  room: { roomId: string; version: RoomVersion },
  { serverName, eventId, told }: { serverName: string; eventId: string; told: Told },
): Promise<void> {
  let answer: JsonObject;
  try {
    answer = await deps.client.send({
      destination: serverName,
      method: 'GET',
      uri: `/_matrix/federation/v1/state/${encodeURIComponent(room.roomId)}?event_id=${encodeURIComponent(eventId)}`,
      timeoutMs,
      maxBytes: maximumBytes,
    });
  } catch (error) {
    if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
    told.notTold.push({ eventId, reason: reasonOf(error) });
    return;
  }
  const pdus = listOf(answer, 'pdus');
  if (pdus.length === 0) {
    told.notTold.push({ eventId, reason: 'It answered with no state.' });
    return;
  }
  const state = await verifyPdus(deps, room, pdus);
  const authChain = await verifyPdus(deps, room, listOf(answer, 'auth_chain'));
  for (const [id, pdu] of [...authChain.pdus, ...state.pdus]) told.events.set(id, pdu);
  for (const [id, reason] of [...authChain.refused, ...state.refused]) told.refused.set(id, reason);
  told.states.push({ before: eventId, state: [...state.pdus.keys()] });
}

/** Nothing of the other server's answer but its errcode gets in. */
function reasonOf(error: MatrixError | Unreachable): string {
  if (error instanceof Unreachable) return error.message;
  return `It answered ${error.status} ${error.errcode.slice(0, 64)}.`;
}
