import { referencedId, type Pdu } from '../events.ts';
import type { EventSource, ResolutionEvent } from './types.ts';

/** An event with its auth events, as far as the server has them. */
export interface AuthNode extends ResolutionEvent {
  readonly parents: readonly AuthNode[];
}

/**
 * The graph of `auth_events`, read as far as it is asked for. Nothing here recurses and every walk visits a node once, so
 * chains of any length and cycles (which IDs given by servers allow in room versions 1 and 2) do no harm.
 */
export class AuthGraph {
  readonly #eventOf: EventSource;
  readonly #nodes = new Map<string, LazyNode | undefined>();

  constructor(eventOf: EventSource) {
    this.#eventOf = eventOf;
  }

  /** Undefined for an event that the server does not have. */
  node(eventId: string): AuthNode | undefined {
    if (this.#nodes.has(eventId)) return this.#nodes.get(eventId);
    const event = this.#eventOf(eventId);
    const node = event === undefined ? undefined : new LazyNode(event, this);
    this.#nodes.set(eventId, node);
    return node;
  }

  nodes(eventIds: Iterable<string>): AuthNode[] {
    const found: AuthNode[] = [];
    for (const eventId of eventIds) {
      const node = this.node(eventId);
      if (node !== undefined) found.push(node);
    }
    return found;
  }
}

class LazyNode implements AuthNode {
  readonly eventId: string;
  readonly pdu: Pdu;
  readonly isRejected: boolean;
  readonly #graph: AuthGraph;
  #parents: AuthNode[] | undefined;

  constructor(event: ResolutionEvent, graph: AuthGraph) {
    this.eventId = event.eventId;
    this.pdu = event.pdu;
    this.isRejected = event.isRejected === true;
    this.#graph = graph;
  }

  get parents(): readonly AuthNode[] {
    if (this.#parents === undefined) {
      const listed: unknown = this.pdu.auth_events;
      const ids = Array.isArray(listed) ? new Set((listed as Pdu['auth_events']).map(referencedId)) : [];
      this.#parents = this.#graph.nodes(ids);
    }
    return this.#parents;
  }
}

/** The nodes and their auth chains. Ends early when `visit` answers false. */
export function closure(starts: Iterable<AuthNode>, visit?: (node: AuthNode) => boolean): Set<AuthNode> {
  const seen = new Set(starts);
  // A Set is iterated in the order of insertion, what is added on the way included: this is a breadth-first walk.
  for (const node of seen) {
    if (visit?.(node) === false) return seen;
    for (const parent of node.parents) seen.add(parent);
  }
  return seen;
}

/** Every node on any path between two of the given nodes, these included. */
export function pathsBetween(ends: ReadonlySet<AuthNode>): Set<AuthNode> {
  const children = new Map<AuthNode, AuthNode[]>();
  for (const node of closure(ends)) {
    for (const parent of node.parents) addTo(children, parent, node);
  }
  const found = new Set(ends);
  for (const node of found) {
    for (const child of children.get(node) ?? []) found.add(child);
  }
  return found;
}

/** Adds a node to the list under a key. */
export function addTo(lists: Map<AuthNode, AuthNode[]>, key: AuthNode, node: AuthNode): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [node]);
  else list.push(node);
}
