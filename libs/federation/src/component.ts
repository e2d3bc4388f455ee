import type { z } from 'zod';

import { type Bus, handle } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { federation, type RoomserverForFederation, type UserapiForFederation } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import type { Jobs } from '@seneschal/jobs';
import type { Signer } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Metrics, type Stoppable, type Tracer } from '@seneschal/observability';

import { administration } from './administration.ts';
import { inviteUser } from './commands/invite-user.ts';
import { joinRoom } from './commands/join-room.ts';
import { leaveRoom } from './commands/leave-room.ts';
import { receiveInvite } from './commands/receive-invite.ts';
import { receiveMembership } from './commands/receive-membership.ts';
import { receiveTransaction, type ReceiveTransactionDeps } from './commands/receive-transaction.ts';
import { refreshDevices } from './commands/refresh-devices.ts';
import { remoteProfile } from './commands/remote-profile.ts';
import { resolveAlias } from './commands/resolve-alias.ts';
import { sendTyping } from './commands/send-typing.ts';
import { takeOutgoing } from './commands/take-outgoing.ts';
import { forgetDevicesConsumer } from './consumers/forget-devices.ts';
import { roomserverConsumer } from './consumers/roomserver.ts';
import { userapiConsumer } from './consumers/userapi.ts';
import { type FederationMetrics, federationMetrics, measureQueue } from './federation-metrics.ts';
import { forClients } from './for-clients.ts';
import { downloadStateSteps } from './jobs/download-state.ts';
import { refreshDevicesSteps, refreshManyDevicesSteps } from './jobs/refresh-devices.ts';
import { KeyRing } from './keys/key-ring.ts';
import { EduTrim } from './sending/edu-trim.ts';
import { LagWatch } from './sending/lag-watch.ts';
import { Sender } from './sending/sender.ts';
import { StaleDevices } from './stale-devices.ts';
import { endBackOff } from './storage/destinations.ts';
import { federationMigrations } from './storage/migrations/index.ts';
import type { FederationDb, FederationTables } from './storage/tables.ts';
import { blockList } from './transport/block-list.ts';
import { openClient } from './transport/observed.ts';

export interface FederationDeps {
  bus: Bus;
  jobs: Pick<Jobs, 'serve'>;
  database: Database;
  config: Pick<
    Config,
    | 'server_name'
    | 'federation_verify_certificates'
    | 'federation_allowed_networks'
    | 'federation_key_notaries'
    | 'federation_retry_min'
    | 'federation_retry_max'
    | 'federation_lag_after'
    | 'federation_to_device_keep'
    | 'federation_to_device_limit'
    | 'tracing_servers'
  >;
  signer: Signer;
  logger: Logger;
  metrics: Metrics;
  tracer?: Tracer | undefined;
  /** Knows of which users anything is held, and what there is to tell of those of this server. */
  userapi: Pick<
    UserapiForFederation,
    | 'remoteUsersOf'
    | 'profile'
    | 'invitesBlockedBy'
    | 'deviceUpdates'
    | 'crossSigningKeys'
    | 'outgoingToDevice'
    | 'publicReceipts'
  >;
  roomserver: RoomserverForFederation;
}

/** Starts the federation component: requests to other servers on behalf of this one. */
export async function startFederation(given: FederationDeps): Promise<Stoppable> {
  const { bus, jobs, database, config, signer, logger, userapi, roomserver } = given;
  await migrate(database, 'federation', federationMigrations);
  const lifecycle = new Lifecycle();
  const metrics = federationMetrics(given.metrics);
  const db = database.tables<FederationTables>();
  const client = openClient(lifecycle, { ...given, metrics, blocks: blockList(db) });
  const keys = new KeyRing({ db, client, signer, notaries: config.federation_key_notaries });
  const deps = { bus, client, keys, signer, logger, userapi, roomserver, serverName: config.server_name };
  const refresh = (userId: string): ReturnType<typeof refreshDevices> => refreshDevices(deps, { userId });
  const retry = { min: config.federation_retry_min, max: config.federation_retry_max };
  const sender = lifecycle.add(new Sender({ db, client, logger, serverName: config.server_name, retry }));
  const wake = (): Promise<void> => sender.wake();
  const stale = lifecycle.add(new StaleDevices({ bus, refresh, logger }));
  const inbound = { ...deps, refetch: () => void stale.run() };
  lifecycle.add(
    await bus.serve('federation', [
      handle(federation.refreshDevices, ({ userId }) => refresh(userId)),
      handle(federation.receiveTransaction, incoming({ ...inbound, db, wake, metrics, pauseMs: retry.min })),
      handle(federation.receiveMembership, (input) => receiveMembership(deps, input)),
      handle(federation.receiveInvite, (input) => receiveInvite(deps, input)),
      handle(federation.joinRoom, (input) => joinRoom(deps, input)),
      handle(federation.leaveRoom, (input) => leaveRoom(deps, input)),
      handle(federation.inviteUser, (input) => inviteUser(deps, input)),
      handle(federation.resolveAlias, (input) => resolveAlias(deps, input)),
      handle(federation.remoteProfile, (input) => remoteProfile(deps, input)),
      handle(federation.sendTyping, (input) => sendTyping({ db, roomserver, wake }, input)),
      handle(federation.takeOutgoing, () => takeOutgoing(deps)),
      ...forClients(deps),
      ...administration({ ...deps, db, wake }),
    ]),
  );
  lifecycle.add(
    await jobs.serve('federation', [
      refreshDevicesSteps({ refresh }),
      refreshManyDevicesSteps({ refresh, userapi }),
      downloadStateSteps(deps),
    ]),
  );
  watchQueues(lifecycle, given, metrics);
  lifecycle.add(await bus.follow(roomserverConsumer({ roomserver, wake })));
  lifecycle.add(await bus.follow(userapiConsumer({ ...deps, wake })));
  lifecycle.add(await bus.follow(forgetDevicesConsumer(deps)));
  return lifecycle;
}

/** Looks after what waits for servers that do not answer. */
function watchQueues(
  lifecycle: Lifecycle,
  { database, config, logger, metrics: all }: FederationDeps,
  metrics: FederationMetrics,
): void {
  const db = database.tables<FederationTables>();
  lifecycle.add(new LagWatch({ db, logger, afterMs: config.federation_lag_after }));
  const { federation_to_device_keep: keepMs, federation_to_device_limit: most } = config;
  lifecycle.add(new EduTrim({ db, logger, dropped: (count) => metrics.edusDropped(count), keepMs, most }));
  measureQueue(all, db);
}

type Received = z.infer<typeof federation.receiveTransaction.input>;
type Results = z.infer<typeof federation.receiveTransaction.output>;

interface IncomingDeps extends ReceiveTransactionDeps {
  db: FederationDb;
  wake: () => unknown;
  metrics: FederationMetrics;
  /** How long a server is left alone for one failure, in ms. */
  pauseMs: number;
}

/** Takes transactions; counts what comes in, and what of it is refused. */
function incoming(deps: IncomingDeps): (input: Received) => Promise<Results> {
  const { db, wake, metrics, pauseMs } = deps;
  return async (input) => {
    // It is there again: what waits for it need not wait any longer.
    if (await endBackOff(db, input.origin, { now: Date.now(), pauseMs })) void wake();
    const output = await receiveTransaction(deps, input);
    const results = Object.values(output.pdus);
    const refused = results.filter(({ error }) => error !== undefined).length;
    metrics.received(results.length - refused, refused, input.edus.length);
    return output;
  };
}
