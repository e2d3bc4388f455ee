import type { RoomEvent } from './room-event.ts';

/** Rooms with more state than this are read anew each time. */
const largestState = 2000;
const maximumRooms = 1000;

/**
 * The state, memberships apart, of rooms written to lately. An entry is only used when it is of the
 * `state_position` that the locked room has, so that other processes need not tell this one of their writes.
 */
export class StateCache {
  readonly #rooms = new Map<number, { statePosition: number; state: ReadonlyMap<string, RoomEvent> }>();

  get(roomNid: number, statePosition: number): ReadonlyMap<string, RoomEvent> | undefined {
    const entry = this.#rooms.get(roomNid);
    if (entry?.statePosition !== statePosition) return undefined;
    this.#rooms.delete(roomNid);
    this.#rooms.set(roomNid, entry);
    return entry.state;
  }

  delete(roomNid: number): void {
    this.#rooms.delete(roomNid);
  }

  clear(): void {
    this.#rooms.clear();
  }

  set(roomNid: number, statePosition: number, state: ReadonlyMap<string, RoomEvent>): void {
    this.#rooms.delete(roomNid);
    if (state.size > largestState) return;
    this.#rooms.set(roomNid, { statePosition, state });
    for (const oldest of this.#rooms.keys()) {
      if (this.#rooms.size <= maximumRooms) break;
      this.#rooms.delete(oldest);
    }
  }
}
