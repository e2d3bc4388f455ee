import type { AuthNode } from './auth-graph.ts';
import { compareNumbers, compareTexts, timeOf } from './order.ts';

/**
 * The mainline ordering based on a power levels event: who builds on earlier power levels of its mainline comes first, who
 * builds on none of them before all; then earlier time, smaller event ID. Without power levels there is no mainline.
 */
export function mainlineOrder(events: Iterable<AuthNode>, powerLevels: AuthNode | undefined): AuthNode[] {
  const positions = mainlineOf(powerLevels);
  const ranked = [...events].map((node) => ({
    node,
    position: positionOf(node, positions),
    time: timeOf(node),
  }));
  ranked.sort(
    (a, b) =>
      compareNumbers(b.position, a.position) ||
      compareNumbers(a.time, b.time) ||
      compareTexts(a.node.eventId, b.node.eventId),
  );
  return ranked.map(({ node }) => node);
}

/** The power levels events that lead up to this one, each with its distance from it. */
function mainlineOf(powerLevels: AuthNode | undefined): Map<AuthNode, number> {
  const positions = new Map<AuthNode, number>();
  for (let node = powerLevels; node !== undefined && !positions.has(node); node = levelsBehind(node)) {
    positions.set(node, positions.size);
  }
  return positions;
}

/** Also notes the position of every power levels event on the way, so that a long side line is walked once. */
function positionOf(event: AuthNode, positions: Map<AuthNode, number>): number {
  const passed: AuthNode[] = [];
  const seen = new Set<AuthNode>();
  let position: number | undefined;
  for (let node = levelsBehind(event); node !== undefined && !seen.has(node); node = levelsBehind(node)) {
    position = positions.get(node);
    if (position !== undefined) break;
    passed.push(node);
    seen.add(node);
  }
  for (const node of passed) positions.set(node, position ?? Infinity);
  return position ?? Infinity;
}

function levelsBehind(node: AuthNode): AuthNode | undefined {
  return node.parents.find(({ pdu }) => pdu.type === 'm.room.power_levels' && pdu.state_key === '');
}
