import type { StateMap } from './types.ts';

export interface Conflicts {
  /** The entries that are the same in every state. */
  readonly unconflicted: Map<string, string>;
  /** By key, the different events that the states have under it. */
  readonly conflicted: Map<string, Set<string>>;
}

/**
 * Which entries the states agree on. An entry that some state lacks is conflicted, except for algorithm 1, which only
 * knows conflicts between different events.
 */
export function splitStates(states: readonly StateMap[], absenceConflicts: boolean): Conflicts {
  const found = new Map<string, { ids: Set<string>; count: number }>();
  for (const state of states) {
    for (const [key, eventId] of state) {
      const entry = found.get(key);
      if (entry === undefined) found.set(key, { ids: new Set([eventId]), count: 1 });
      else {
        entry.ids.add(eventId);
        entry.count++;
      }
    }
  }
  const conflicts: Conflicts = { unconflicted: new Map(), conflicted: new Map() };
  for (const [key, { ids, count }] of found) {
    const [eventId] = ids;
    const isShared = ids.size === 1 && (count === states.length || !absenceConflicts);
    if (isShared && eventId !== undefined) conflicts.unconflicted.set(key, eventId);
    else conflicts.conflicted.set(key, ids);
  }
  return conflicts;
}
