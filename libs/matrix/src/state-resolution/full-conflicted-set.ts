import { closure, pathsBetween, type AuthGraph, type AuthNode } from './auth-graph.ts';
import type { Conflicts } from './conflicts.ts';
import type { ResolutionInput, StateMap } from './types.ts';

/**
 * The full conflicted set: conflicted state set, auth difference and, from algorithm 2.1, conflicted state subgraph.
 * Only events that the server has.
 */
export function fullConflictedSet(
  input: ResolutionInput,
  { unconflicted, conflicted }: Conflicts,
  graph: AuthGraph,
): Set<AuthNode> {
  const conflictedState = new Set(graph.nodes([...conflicted.values()].flatMap((ids) => [...ids])));
  const full = new Set(conflictedState);
  const difference =
    input.authDifference === undefined
      ? chainDifference(input.states, [...conflicted.keys()], new Set(unconflicted.values()), graph)
      : graph.nodes(input.authDifference);
  for (const node of difference) full.add(node);
  if (input.version.stateResolution === '2.1') {
    for (const node of pathsBetween(conflictedState)) full.add(node);
  }
  return full;
}

/**
 * The auth difference: what is in the auth chain of some state and not of all. As in the servers that rooms are shared
 * with, a state's chain has the state's own events in it; else two servers could resolve the same states differently.
 * What the entries in common lead to is in every chain, so only the chains of the others have to be compared.
 */
function chainDifference(
  states: readonly StateMap[],
  conflictedKeys: readonly string[],
  sharedIds: ReadonlySet<string>,
  graph: AuthGraph,
): Set<AuthNode> {
  const counts = new Map<AuthNode, number>();
  const own = new Set<AuthNode>();
  for (const state of states) {
    const ids = conflictedKeys.map((key) => state.get(key)).filter((eventId) => eventId !== undefined);
    const starts = graph.nodes(ids);
    for (const node of starts) own.add(node);
    for (const node of closure(starts)) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  const difference = new Set<AuthNode>();
  for (const [node, count] of counts) {
    if (count < states.length && !own.has(node) && !sharedIds.has(node.eventId)) difference.add(node);
  }
  if (difference.size === 0) return difference;
  // Reads no more of what the entries in common lead to than it takes.
  closure(graph.nodes(sharedIds), (node) => {
    difference.delete(node);
    return difference.size > 0;
  });
  return difference;
}
