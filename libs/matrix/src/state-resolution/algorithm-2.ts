import { AuthChecks, createIdOf } from './auth-checks.ts';
import { AuthGraph, closure, type AuthNode } from './auth-graph.ts';
import { splitStates } from './conflicts.ts';
import { fullConflictedSet } from './full-conflicted-set.ts';
import { mainlineOrder } from './mainline-order.ts';
import { isPowerEvent, powerOrder } from './power-order.ts';
import { stateMapKey, type ResolutionInput } from './types.ts';

const POWER_LEVELS = stateMapKey('m.room.power_levels', '');

/** State resolution of room versions 2 to 11 ("Room Version 2") and, as 2.1, of version 12 ("Room Version 12"). */
export function resolveWithAlgorithm2(input: ResolutionInput): Map<string, string> {
  const { version, roomId } = input;
  const conflicts = splitStates(input.states, true);
  if (conflicts.conflicted.size === 0) return conflicts.unconflicted;
  const graph = new AuthGraph(input.eventOf);
  const full = fullConflictedSet(input, conflicts, graph);
  const power = withChainsIn(full, [...full].filter(isPowerEvent));
  const start = version.stateResolution === '2.1' ? new Map<string, string>() : conflicts.unconflicted;
  const checks = new AuthChecks(start, { version, roomId, graph, usesAuthEvents: true });
  const create = version.roomIdIsCreateHash ? graph.node(createIdOf(roomId)) : undefined;
  checks.applyAll(powerOrder(power, version, create));
  const others = [...full].filter((node) => !power.has(node));
  const levels = checks.state.get(POWER_LEVELS);
  checks.applyAll(mainlineOrder(others, levels === undefined ? undefined : graph.node(levels)));
  for (const [key, eventId] of conflicts.unconflicted) checks.state.set(key, eventId);
  return checks.state;
}

/** The events, and what of their auth chains is in the full conflicted set. */
function withChainsIn(full: ReadonlySet<AuthNode>, events: readonly AuthNode[]): Set<AuthNode> {
  return new Set([...closure(events)].filter((node) => full.has(node)));
}
