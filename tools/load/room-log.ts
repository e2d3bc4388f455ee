import { type Kysely, sql } from 'kysely';

import { authorise, parseJson, type Pdu, referencedId, roomVersion } from '@seneschal/matrix';

import { keyOf } from './view.ts';

export interface LoggedEvent {
  eventId: string;
  pdu: Pdu;
}

/** A room as the server has stored it. */
export interface RoomLog {
  roomId: string;
  version: string;
  forwardExtremities: string[];
  /** In the order in which clients are told of them. */
  events: LoggedEvent[];
}

export async function readRoomLog(db: Kysely<unknown>, roomId: string): Promise<RoomLog> {
  const rooms = await sql<{ room_version: string; forward_extremities: string[] }>`
    SELECT room_version, forward_extremities FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(db);
  const [room] = rooms.rows;
  if (room === undefined) throw new Error(`There is no room ${roomId}.`);
  const { rows } = await sql<{ event_id: string; json: string }>`
    SELECT event_id, json FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId} ORDER BY position
  `.execute(db);
  const events = rows.map(({ event_id: eventId, json }) => ({
    eventId,
    pdu: parseJson(json) as unknown as Pdu,
  }));
  return { roomId, version: room.room_version, forwardExtremities: room.forward_extremities, events };
}

export interface Replay {
  /** The most forward extremities that the room had after any event. */
  mostExtremities: number;
  lastExtremities: string[];
  /** Events that the state before them does not allow, with the reason. */
  forbidden: string[];
  state: Map<string, string>;
}

/** Adds the events one after the other to a room that begins empty. */
export function replay({ roomId, version, events }: RoomLog): Replay {
  const extremities = new Set<string>();
  const state = new Map<string, LoggedEvent>();
  const get = (type: string, stateKey: string): Pdu | undefined => state.get(keyOf(type, stateKey))?.pdu;
  const forbidden: string[] = [];
  let mostExtremities = 0;
  for (const event of events) {
    const { pdu, eventId } = event;
    try {
      authorise(pdu, roomId, { get }, roomVersion(version));
    } catch (error) {
      forbidden.push(`${eventId}, a ${pdu.type}: ${String(error)}`);
    }
    for (const previous of pdu.prev_events) extremities.delete(referencedId(previous));
    extremities.add(eventId);
    mostExtremities = Math.max(mostExtremities, extremities.size);
    if (pdu.state_key !== undefined) state.set(keyOf(pdu.type, pdu.state_key), event);
  }
  return {
    mostExtremities,
    lastExtremities: [...extremities],
    forbidden,
    state: new Map([...state].map(([key, { eventId }]) => [key, eventId])),
  };
}
