import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

import { isServerName, ownString, parseJson, parseServerName } from '@seneschal/matrix';

/** Where to send a request for a server, and as whom to address it. */
export interface Destination {
  host: string;
  port: number;
  /** The name that the certificate has to be for. */
  certificateName: string;
  hostHeader: string;
}

/** What discovery asks of the network. */
export interface DiscoveryNetwork {
  /** The body of `https://{host}/.well-known/matrix/server`, or undefined, and how long it may be kept. */
  wellKnown(host: string): Promise<{ body: string; maxAgeMs: number | undefined } | undefined>;
  /** Targets of an SRV record in the order in which to try them; empty when there is none. */
  srv(name: string): Promise<{ name: string; port: number }[]>;
}

interface Cached {
  destinations: Destination[];
  until: number;
}

const defaultPort = 8448;
const minute = 60_000;
const [shortest, usual, longest] = [5 * minute, 24 * 60 * minute, 48 * 60 * minute];
/** Where no well-known file was found, one is looked for again after an hour. */
const withoutFile = 60 * minute;
const maximumCached = 10_000;

/** Finds servers by their names (server-server API, "Resolving server names"). */
export class Discovery {
  readonly #network: DiscoveryNetwork;
  readonly #now: () => number;
  readonly #cache = new Map<string, Cached>();

  constructor(network: DiscoveryNetwork, now: () => number = Date.now) {
    this.#network = network;
    this.#now = now;
  }

  /** Destinations in the order in which to try them; at least one. */
  async find(serverName: string): Promise<Destination[]> {
    const cached = this.#cache.get(serverName);
    if (cached !== undefined && cached.until > this.#now()) return cached.destinations;
    const { destinations, keepMs } = await this.#resolve(serverName);
    if (this.#cache.size >= maximumCached) this.#cache.clear();
    this.#cache.set(serverName, { destinations, until: this.#now() + keepMs });
    return destinations;
  }

  /** Forgets where a server was: the next request looks anew. */
  forget(serverName: string): void {
    this.#cache.delete(serverName);
  }

  async #resolve(serverName: string): Promise<{ destinations: Destination[]; keepMs: number }> {
    const fixed = withoutLookUp(serverName);
    if (fixed !== undefined) return { destinations: [fixed], keepMs: usual };
    const file = await this.#network.wellKnown(serverName);
    const delegated = file === undefined ? undefined : delegatedName(file.body);
    if (file === undefined || delegated === undefined) {
      return { destinations: await this.#bySrv(serverName), keepMs: withoutFile };
    }
    const keepMs = Math.min(Math.max(file.maxAgeMs ?? usual, shortest), longest);
    const direct = withoutLookUp(delegated);
    return { destinations: direct === undefined ? await this.#bySrv(delegated) : [direct], keepMs };
  }

  async #bySrv(name: string): Promise<Destination[]> {
    for (const service of ['_matrix-fed._tcp', '_matrix._tcp']) {
      const targets = await this.#network.srv(`${service}.${name}`);
      if (targets.length === 0) continue;
      return targets.map((target) => ({
        host: target.name,
        port: target.port,
        certificateName: name,
        hostHeader: name,
      }));
    }
    return [{ host: name, port: defaultPort, certificateName: name, hostHeader: name }];
  }
}

/** An IP address or a name with a port is where it says; undefined for other names. */
function withoutLookUp(serverName: string): Destination | undefined {
  const { host, port } = parseServerName(serverName);
  const bare = host.replace(/^\[|\]$/g, '');
  if (port === undefined && isIP(bare) === 0) return undefined;
  return { host: bare, port: port ?? defaultPort, certificateName: bare, hostHeader: serverName };
}

function delegatedName(body: string): string | undefined {
  try {
    const name = ownString(parseJson(body), 'm.server');
    return name !== undefined && isServerName(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Looks SRV records up; by priority, and within one at random by weight (RFC 2782). */
export async function lookUpSrv(
  name: string,
  random: () => number,
): Promise<{ name: string; port: number }[]> {
  const resolver = new Resolver({ timeout: 5000, tries: 2 });
  const records = await resolver.resolveSrv(name).catch(() => []);
  return records
    .map((record) => ({ record, order: -Math.log(1 - random()) / Math.max(record.weight, 0.001) }))
    .sort((a, b) => a.record.priority - b.record.priority || a.order - b.order)
    .map(({ record }) => ({ name: record.name, port: record.port }));
}
