import { migrate } from '@seneschal/database';
import { federationMigrations, federationReads, loadSigner } from '@seneschal/federation';
import { roomserverForFederation, roomserverMigrations } from '@seneschal/roomserver';
import type { Gateway, Platform } from '@seneschal/service';
import { userapiMigrations, userapiReads } from '@seneschal/userapi';

import { federationEndpoints } from './endpoints/index.ts';

/** /_matrix/federation and /_matrix/key. Nobody calls these with an access token. */
export async function federationGateway(platform: Platform): Promise<Gateway> {
  const { config, database, lifecycle, bus, logger } = platform;
  await migrate(database, 'federation', federationMigrations);
  await migrate(database, 'userapi', userapiMigrations);
  await migrate(database, 'roomserver', roomserverMigrations);
  const signer = await loadSigner(config);
  const servers = lifecycle.add(federationReads(database, config, signer, platform));
  return {
    endpoints: federationEndpoints({
      signer,
      bus,
      config,
      servers,
      userapi: userapiReads(database, config),
      roomserver: roomserverForFederation(database, logger, config.server_name),
    }),
    userapi: { requesterByToken: () => Promise.resolve(undefined) },
    servers,
  };
}
