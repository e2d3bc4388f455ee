import type { Kysely } from 'kysely';

import type { Bus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { FederationForRoomserver } from '@seneschal/contracts';
import type { JobHandler, Jobs } from '@seneschal/jobs';
import type { Signer } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { ArchiveFiles } from '../archive/files.ts';
import { forgetEverywhere } from '../room/forgetting.ts';
import { Pacers } from '../room/pacers.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { Housekeeping } from './housekeeping.ts';
import { importRoom } from './import-room.ts';
import { PurgePolicy } from './purge-policy.ts';
import { purgeRoom } from './purge-room.ts';
import { purgeRooms } from './purge-rooms.ts';

export type DeletionConfig = Pick<
  Config,
  'data_dir' | 'purged_room_retention' | 'purge_empty_after' | 'purge_every' | 'purge_limit' | 'purge_exclude'
>;

export interface DeletionJobDeps {
  db: Kysely<RoomserverTables>;
  bus: Bus;
  signer: Signer;
  federation: FederationForRoomserver;
  writer: Pick<RoomWriter, 'run'>;
}

/** The jobs that delete rooms and restore them. Archives are in the data folder. */
export function deletionJobs(
  { db, bus, signer, federation, writer }: DeletionJobDeps,
  dataDir: string,
): JobHandler[] {
  const files = new ArchiveFiles(dataDir);
  const forgetRoom = (roomNid: number): Promise<void> => forgetEverywhere(bus, roomNid);
  return [
    purgeRoom({ db, bus, writer, files, pacers: new Pacers(), forgetRoom }),
    purgeRooms({ db }),
    importRoom({ db, bus, files, signer, federation }),
  ];
}

/** What is done without being asked for: looking after deletions that were given up, and the purge policy. */
export function keepHouse({ db, jobs, logger, config }: HouseDeps): Stoppable {
  const lifecycle = new Lifecycle();
  const departuresMs = config.purged_room_retention;
  lifecycle.add(new Housekeeping({ db, jobs, logger, departuresMs }));
  if (config.purge_empty_after === null) return lifecycle;
  lifecycle.add(
    new PurgePolicy({
      jobs,
      logger,
      emptyMs: config.purge_empty_after,
      everyMs: Math.max(1000, config.purge_every),
      limit: config.purge_limit,
      exclude: config.purge_exclude,
    }),
  );
  return lifecycle;
}

interface HouseDeps {
  db: Kysely<RoomserverTables>;
  jobs: Pick<Jobs, 'reads' | 'start'>;
  logger: Logger;
  config: DeletionConfig;
}
