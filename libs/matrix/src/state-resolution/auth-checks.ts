import { authorise } from '../auth-rules/index.ts';
import { forbidden, isMatrixError } from '../errors.ts';
import type { Pdu } from '../events.ts';
import type { RoomVersion } from '../room-versions.ts';
import type { AuthGraph, AuthNode } from './auth-graph.ts';
import { stateMapKey } from './types.ts';

export interface AuthChecksOptions {
  readonly version: RoomVersion;
  readonly roomId: string;
  readonly graph: AuthGraph;
  /** Whether an event's own auth events stand in for what the state lacks (from algorithm 2). */
  readonly usesAuthEvents: boolean;
}

/**
 * A state that takes in the events that the authorisation rules allow in it. Signatures count as checked, those of
 * restricted joins too: events were verified when they were received.
 */
export class AuthChecks {
  readonly state: Map<string, string>;
  readonly #options: AuthChecksOptions;

  constructor(state: ReadonlyMap<string, string>, options: AuthChecksOptions) {
    this.state = new Map(state);
    this.#options = options;
  }

  /** The iterative auth checks: takes in each event that is allowed after those before it. */
  applyAll(events: Iterable<AuthNode>): void {
    for (const node of events) if (this.allows(node)) this.set(node);
  }

  set({ eventId, pdu }: AuthNode): void {
    this.state.set(stateMapKey(pdu.type, pdu.state_key ?? ''), eventId);
  }

  allows(node: AuthNode): boolean {
    const { version, roomId } = this.#options;
    const { pdu } = node;
    if (typeof pdu.state_key !== 'string' || typeof pdu.type !== 'string') return false;
    // Any event could claim to be a create event of a room that is named after one.
    if (pdu.type === 'm.room.create' && version.roomIdIsCreateHash && node.eventId !== createIdOf(roomId)) {
      return false;
    }
    try {
      const state = { get: (type: string, stateKey: string) => this.#find(node, type, stateKey) };
      authorise(pdu, roomId, state, version, { joinAuthorisedSignatureValid: true });
      return true;
    } catch (error) {
      if (!isMatrixError(error)) throw error;
      return false;
    }
  }

  /** What is in the state counts; when the server does not have that event, nothing can be allowed by it. */
  #find(node: AuthNode, type: string, stateKey: string): Pdu | undefined {
    const { graph, usesAuthEvents } = this.#options;
    const eventId = this.state.get(stateMapKey(type, stateKey));
    if (eventId === undefined) return usesAuthEvents ? this.#standIn(node, type, stateKey) : undefined;
    const found = graph.node(eventId);
    if (found === undefined) throw forbidden(`The ${type} event of the state is missing`);
    return found.pdu;
  }

  #standIn(node: AuthNode, type: string, stateKey: string): Pdu | undefined {
    const { version, roomId, graph } = this.#options;
    if (version.roomIdIsCreateHash && type === 'm.room.create' && stateKey === '') {
      const create = graph.node(createIdOf(roomId));
      return create === undefined || create.isRejected === true ? undefined : create.pdu;
    }
    return node.parents.find(
      ({ pdu, isRejected }) =>
        pdu.type === type && pdu.state_key === stateKey && pdu.room_id === roomId && isRejected !== true,
    )?.pdu;
  }
}

/** From room version 12: the ID of the create event in the room's ID. */
export function createIdOf(roomId: string): string {
  return `$${roomId.slice(1)}`;
}
