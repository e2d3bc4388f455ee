import { isMatrixError } from '../errors.ts';
import type { Pdu } from '../events.ts';
import { ownString } from '../json-types.ts';
import { levelIn, parsePowerLevels, userPowerLevel, type PowerLevels } from '../power-levels.ts';
import type { RoomVersion } from '../room-versions.ts';
import { addTo, pathsBetween, type AuthNode } from './auth-graph.ts';
import { compareNumbers, compareTexts, Heap, timeOf } from './order.ts';

/** A power event: one that may take somebody's ability to do something away. */
export function isPowerEvent({ pdu }: AuthNode): boolean {
  if (typeof pdu.state_key !== 'string') return false;
  if (pdu.type === 'm.room.power_levels' || pdu.type === 'm.room.join_rules') return true;
  if (pdu.type !== 'm.room.member' || pdu.sender === pdu.state_key) return false;
  const membership = ownString(pdu.content, 'membership');
  return membership === 'leave' || membership === 'ban';
}

interface Ranked {
  readonly node: AuthNode;
  /** Between two events to be ordered, but none of them: it goes as soon as it can. */
  readonly isBridge: boolean;
  readonly level: number;
  readonly time: number;
}

/**
 * The reverse topological power ordering: auth events before those that name them; then higher level of the sender by
 * its own auth events, earlier time, smaller event ID. Kahn's algorithm with a heap. Events of a cycle, and what builds
 * on them, are left out: nothing can have allowed them.
 */
export function powerOrder(
  events: ReadonlySet<AuthNode>,
  version: RoomVersion,
  implicitCreate: AuthNode | undefined,
): AuthNode[] {
  const nodes = pathsBetween(events);
  const waiting = new Map<AuthNode, number>();
  const children = new Map<AuthNode, AuthNode[]>();
  const ready = new Heap<Ranked>(compareRanks);
  const rank = (node: AuthNode): Ranked => {
    const isBridge = !events.has(node);
    const level = isBridge ? 0 : senderLevel(node, version, implicitCreate);
    return { node, isBridge, level, time: timeOf(node) };
  };
  for (const node of nodes) {
    const parents = node.parents.filter((parent) => nodes.has(parent));
    waiting.set(node, parents.length);
    for (const parent of parents) addTo(children, parent, node);
    if (parents.length === 0) ready.push(rank(node));
  }
  const order: AuthNode[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    if (!next.isBridge) order.push(next.node);
    for (const child of children.get(next.node) ?? []) {
      const left = (waiting.get(child) ?? 0) - 1;
      waiting.set(child, left);
      if (left === 0) ready.push(rank(child));
    }
  }
  return order;
}

function compareRanks(a: Ranked, b: Ranked): number {
  if (a.isBridge !== b.isBridge) return a.isBridge ? -1 : 1;
  return (
    compareNumbers(b.level, a.level) ||
    compareNumbers(a.time, b.time) ||
    compareTexts(a.node.eventId, b.node.eventId)
  );
}

/** The sender's level by the event's own auth events; 0 where they cannot be read. */
function senderLevel(node: AuthNode, version: RoomVersion, implicitCreate: AuthNode | undefined): number {
  const create = implicitCreate ?? find(node, 'm.room.create');
  const content = find(node, 'm.room.power_levels')?.pdu.content;
  try {
    const levels = content === undefined ? undefined : parsePowerLevels(content, version);
    return levelOf(node.pdu.sender, levels, create?.pdu, version);
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    return 0;
  }
}

function levelOf(
  sender: string,
  levels: PowerLevels | undefined,
  create: Pdu | undefined,
  version: RoomVersion,
): number {
  if (create !== undefined) return userPowerLevel(sender, levels, create, version);
  return levels === undefined ? 0 : (levelIn(levels.users, sender) ?? levels.users_default);
}

function find(node: AuthNode, type: string): AuthNode | undefined {
  return node.parents.find(({ pdu }) => pdu.type === type && pdu.state_key === '');
}
