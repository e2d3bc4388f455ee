import { migrate } from '@seneschal/database';
import { federationKeys, federationMigrations, loadSigner, startFederation } from '@seneschal/federation';
import type { Stoppable } from '@seneschal/observability';
import {
  roomserverForFederation,
  roomserverMigrations,
  roomserverReads,
  startRoomserver,
} from '@seneschal/roomserver';
import { startSearch } from '@seneschal/search';
import { type Platform, StartError } from '@seneschal/service';
import { startSyncapi } from '@seneschal/syncapi';
import { startUserapi, userapiMigrations, userapiReads } from '@seneschal/userapi';

type Start = (platform: Platform) => Promise<Stoppable>;

function roomsOf({ database, config, logger }: Platform): ReturnType<typeof roomserverReads> {
  return roomserverReads(database, logger, userapiReads(database, config));
}

/** In the order in which they are started. */
const starts = {
  userapi: async (platform) => {
    await migrate(platform.database, 'roomserver', roomserverMigrations);
    return startUserapi({ ...platform, roomserver: roomsOf(platform) });
  },
  roomserver: async (platform) => {
    const { database, config } = platform;
    // What it reads of others has to be there, whether or not they have run yet.
    await migrate(database, 'federation', federationMigrations);
    await migrate(database, 'userapi', userapiMigrations);
    const reads = { federation: federationKeys(database), userapi: userapiReads(database, config) };
    return startRoomserver({ ...platform, signer: await loadSigner(config), ...reads });
  },
  syncapi: async (platform) => {
    const { database, config } = platform;
    // Whom it follows and asks has to have tables, whoever else runs.
    await migrate(database, 'userapi', userapiMigrations);
    await migrate(database, 'roomserver', roomserverMigrations);
    const userapi = userapiReads(database, config);
    return startSyncapi({ ...platform, roomserver: roomsOf(platform), userapi });
  },
  federation: async (platform) =>
    startFederation({
      ...platform,
      signer: await loadSigner(platform.config),
      userapi: userapiReads(platform.database, platform.config),
      roomserver: roomserverForFederation(platform.database, platform.logger, platform.config.server_name),
    }),
  search: (platform) => startSearch({ ...platform, roomserver: roomsOf(platform) }),
} satisfies Record<string, Start>;

export type ComponentName = keyof typeof starts;

export const componentNames = Object.keys(starts) as ComponentName[];

/** The components named on a command line, all of them when none is. Throws StartError. */
export function chooseComponents(words: readonly string[]): ComponentName[] {
  const unknown = words.find((word) => !Object.hasOwn(starts, word));
  if (unknown !== undefined) {
    throw new StartError(`There is no component ${unknown}. There are ${componentNames.join(', ')}.`);
  }
  return componentNames.filter((name) => words.length === 0 || words.includes(name));
}

/** Whose logs of facts webhooks are made of: their tables have to be there, whoever else runs. */
const tellers = {
  userapi: userapiMigrations,
  roomserver: roomserverMigrations,
  federation: federationMigrations,
};

/** Starts components; they stop with the platform. */
export async function startComponents(platform: Platform, names: readonly ComponentName[]): Promise<void> {
  for (const name of names) platform.lifecycle.add(await starts[name](platform));
  for (const [name, migrations] of Object.entries(tellers))
    await migrate(platform.database, name, migrations);
  // Every worker tells receivers of what happens; they share the deliveries among them.
  platform.lifecycle.add(await platform.webhooks.serve());
}
