import type { HiddenKind } from '../storage/tables.ts';
import type { RoomEvent } from './room-event.ts';

/** One entry of a state: the event under a type and state key, or null for none. */
export interface StateEntry {
  readonly type: string;
  readonly stateKey: string;
  readonly eventId: string | null;
}

/** A state: that of the room as of a position, but for some entries (by `stateMapKey`). */
export interface StateAt {
  readonly base: number;
  readonly changes: ReadonlyMap<string, StateEntry>;
}

export interface HiddenEvent {
  readonly eventId: string;
  readonly kind: HiddenKind;
  readonly json: string;
}

/** What events of other servers change in a room beside adding to its timeline and state. */
export class ForeignChanges {
  readonly hidden: HiddenEvent[] = [];
  /** The states before events that are not simply the room's just before them. */
  readonly states: { eventId: string; before: StateAt }[] = [];
  readonly overrides: { type: string; stateKey: string; event: RoomEvent | undefined }[] = [];
  /** Hidden events that became part of the state. */
  readonly shown: string[] = [];
  /** What was told of the room when a user was invited from elsewhere. */
  readonly inviteStates: { userId: string; events: readonly object[] }[] = [];
  /** The server that the events came from, and whether the other servers have them from us. */
  via: { origin: string; isRelayed: boolean } | undefined;

  get isEmpty(): boolean {
    return this.hidden.length === 0 && this.overrides.length === 0 && this.shown.length === 0;
  }
}
