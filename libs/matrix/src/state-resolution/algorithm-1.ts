import { createHash } from 'node:crypto';
import { AuthChecks } from './auth-checks.ts';
import { AuthGraph, type AuthNode } from './auth-graph.ts';
import { splitStates } from './conflicts.ts';
import { compareNumbers, compareTexts, numberIn } from './order.ts';
import type { ResolutionInput } from './types.ts';

const PASSES = ['m.room.power_levels', 'm.room.join_rules', 'm.room.member'];

/**
 * State resolution of room version 1 ("Room Version 1", "State resolution"). The keys of one pass do not see each other's
 * results, so that their order does not matter. What no state allows is left out.
 */
export function resolveWithAlgorithm1(input: ResolutionInput): Map<string, string> {
  const { unconflicted, conflicted } = splitStates(input.states, false);
  if (conflicted.size === 0) return unconflicted;
  const graph = new AuthGraph(input.eventOf);
  const checks = { ...input, graph, usesAuthEvents: false };
  const result = new AuthChecks(unconflicted, checks);
  const blocks = [...conflicted.values()].map((ids) => sort(graph.nodes(ids)));
  for (const type of PASSES) {
    const winners = blocks
      .filter(([first]) => first?.pdu.type === type)
      .map((block) => lastAllowed(block, new AuthChecks(result.state, checks)));
    for (const winner of winners) if (winner !== undefined) result.set(winner);
  }
  const others = blocks.filter(([first]) => first !== undefined && !PASSES.includes(first.pdu.type));
  const winners = others.map((block) => block.findLast((node) => result.allows(node)));
  for (const winner of winners) if (winner !== undefined) result.set(winner);
  return result.state;
}

/** The first event counts unasked, each further one if it is allowed after the one before; the first that is not ends it. */
function lastAllowed([first, ...others]: readonly AuthNode[], checks: AuthChecks): AuthNode | undefined {
  if (first === undefined) return undefined;
  checks.set(first);
  let winner = first;
  for (const node of others) {
    if (!checks.allows(node)) break;
    checks.set(node);
    winner = node;
  }
  return winner;
}

/** By ascending depth, then by descending SHA-1 of the event ID. */
function sort(nodes: readonly AuthNode[]): AuthNode[] {
  return nodes
    .map((node) => ({ node, depth: numberIn(node.pdu, 'depth'), hash: sha1(node.eventId) }))
    .sort((a, b) => compareNumbers(a.depth, b.depth) || compareTexts(b.hash, a.hash))
    .map(({ node }) => node);
}

function sha1(text: string): string {
  return createHash('sha1').update(text, 'utf8').digest('hex');
}
