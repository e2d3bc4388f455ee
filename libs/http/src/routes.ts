import type { Endpoint, Method } from './endpoint.ts';

interface Node {
  literal: Map<string, Node>;
  parameter: Node | undefined;
  endpoints: Map<Method, { endpoint: Endpoint; names: string[] }>;
}

export type Match =
  | { kind: 'found'; endpoint: Endpoint; params: Record<string, string> }
  | { kind: 'method'; isAdminApi: boolean }
  | { kind: 'path' };

function newNode(): Node {
  return { literal: new Map(), parameter: undefined, endpoints: new Map() };
}

/**
 * A tree of path segments: a request costs its number of segments, however many routes there are. Segments
 * are matched escaped and unescaped afterwards, so `%2F` in an identifier is no separator.
 */
export class Routes {
  readonly #root = newNode();

  constructor(endpoints: readonly Endpoint[]) {
    for (const endpoint of endpoints) for (const path of endpoint.paths) this.#add(path, endpoint);
  }

  #add(path: string, endpoint: Endpoint): void {
    const names: string[] = [];
    let node = this.#root;
    for (const segment of path.split('/').slice(1)) {
      if (segment.startsWith(':')) {
        names.push(segment.slice(1));
        node = node.parameter ??= newNode();
      } else {
        const next = node.literal.get(segment) ?? newNode();
        node.literal.set(segment, next);
        node = next;
      }
    }
    if (node.endpoints.has(endpoint.method)) {
      throw new Error(`${endpoint.method} ${path} is declared twice.`);
    }
    node.endpoints.set(endpoint.method, { endpoint, names });
  }

  /** Finds the endpoint of a path (without its query). Parameters are still escaped. */
  match(method: string, path: string): Match {
    const values: string[] = [];
    const node = find(this.#root, path.split('/').slice(1), 0, values);
    if (node === undefined) return { kind: 'path' };
    const found = node.endpoints.get(method as Method);
    if (found === undefined) {
      const others = [...node.endpoints.values()];
      return { kind: 'method', isAdminApi: others.some(({ endpoint }) => endpoint.isAdminApi) };
    }
    const params = Object.fromEntries(found.names.map((name, index) => [name, values[index] ?? '']));
    return { kind: 'found', endpoint: found.endpoint, params };
  }
}

function find(node: Node, segments: readonly string[], index: number, values: string[]): Node | undefined {
  const segment = segments[index];
  if (segment === undefined) return node.endpoints.size > 0 ? node : undefined;
  const literal = node.literal.get(segment);
  if (literal !== undefined) {
    const found = find(literal, segments, index + 1, values);
    if (found !== undefined) return found;
  }
  if (node.parameter === undefined || segment === '') return undefined;
  values.push(segment);
  const found = find(node.parameter, segments, index + 1, values);
  if (found === undefined) values.pop();
  return found;
}
