import type { Config } from '@seneschal/config';
import type {
  FederationForAdmin,
  FederationForGateways,
  FederationForRoomserver,
} from '@seneschal/contracts';
import type { Database } from '@seneschal/database';
import type { Signer } from '@seneschal/matrix';
import { Lifecycle, type Metrics, type Stoppable, type Tracer } from '@seneschal/observability';

import { federationMetrics } from './federation-metrics.ts';
import { KeyRing } from './keys/key-ring.ts';
import { authenticate } from './queries/authenticate.ts';
import { notarisedKeys } from './queries/notary.ts';
import { selectBlocks } from './storage/blocked-servers.ts';
import { selectDestinations } from './storage/destinations.ts';
import { selectServerKeys } from './storage/server-keys.ts';
import type { FederationTables } from './storage/tables.ts';
import { blockList } from './transport/block-list.ts';
import type { ClientConfig } from './transport/federation-client.ts';
import { openClient } from './transport/observed.ts';

export type FederationReads = FederationForGateways & Stoppable;

/** What the room server asks of federation, in its own process: nothing goes out. */
export function federationKeys(database: Database): FederationForRoomserver {
  const db = database.tables<FederationTables>();
  return { storedKeys: (wanted) => selectServerKeys(db, wanted) };
}

/** What administrators see of federation. */
export function federationForAdmin(database: Database): FederationForAdmin {
  const db = database.tables<FederationTables>();
  return {
    destinations: (filter, page) => selectDestinations(db, filter, page),
    destination: async (serverName) => (await selectDestinations(db, { serverName }))[0],
    blockedServers: (page) => selectBlocks(db, page),
  };
}

/** What gateways ask of federation, in their own process. Keys that are missing are fetched. */
export function federationReads(
  database: Database,
  config: ClientConfig & Pick<Config, 'federation_key_notaries' | 'tracing_servers'>,
  signer: Signer,
  watchers: { metrics: Metrics; tracer?: Tracer | undefined },
): FederationReads {
  const lifecycle = new Lifecycle();
  const metrics = federationMetrics(watchers.metrics);
  const db = database.tables<FederationTables>();
  const blocks = blockList(db);
  const client = openClient(lifecycle, { config, signer, blocks, metrics, tracer: watchers.tracer });
  const keys = new KeyRing({ db, client, signer, notaries: config.federation_key_notaries });
  return {
    authenticate: async (request) => {
      try {
        const origin = await authenticate({ keys, blocks, serverName: signer.serverName }, request);
        metrics.authenticated(true);
        return origin;
      } catch (error) {
        metrics.authenticated(false);
        throw error;
      }
    },
    notarisedKeys: (wanted) => notarisedKeys({ db, keys, signer }, wanted),
    stop: () => lifecycle.stop(),
  };
}
