import { sql } from 'kysely';

import { type Bus, handle, type Handler } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { type FederationForRoomserver, roomserver, type UserapiForRoomserver } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import type { Jobs } from '@seneschal/jobs';
import type { Signer } from '@seneschal/matrix';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { changeMembership } from './commands/change-membership.ts';
import { createRoom } from './commands/create-room.ts';
import { draftMembership } from './commands/draft-membership.ts';
import { evacuateRoom } from './commands/evacuate-room.ts';
import { evacuateUser, type EvacuateUserDeps } from './commands/evacuate-user.ts';
import { forgetRoom } from './commands/forget-room.ts';
import { markDeparturesSeen } from './commands/mark-departures-seen.ts';
import { deleteReport, updateReport } from './commands/manage-reports.ts';
import { mergeState } from './commands/merge-state.ts';
import { openNoticeRoom } from './commands/open-notice-room.ts';
import { receiveEvents, type ReceiveEventsDeps } from './commands/receive-events.ts';
import { reportEvent, reportRoom, reportUser } from './commands/report-content.ts';
import { deleteRoomAlias, setRoomAlias, setRoomVisibility } from './commands/room-aliases.ts';
import { sendEvent } from './commands/send-event.ts';
import { storeJoinedRoom } from './commands/store-joined-room.ts';
import { storeOutsideMembership } from './commands/store-outside-membership.ts';
import { upgradeRoom } from './commands/upgrade-room.ts';
import { directoryConsumer } from './consumers/directory.ts';
import { profilesConsumer } from './consumers/profiles.ts';
import { userapiConsumer } from './consumers/userapi.ts';
import { type DeletionConfig, deletionJobs, keepHouse } from './jobs/deletion-jobs.ts';
import { evacuateRoomSteps } from './jobs/evacuate-room.ts';
import { evacuateUserSteps } from './jobs/evacuate-user.ts';
import { ProfileUpdates } from './jobs/profile-updates.ts';
import { listenForForgetting } from './room/forgetting.ts';
import { RoomWriter } from './room/room-writer.ts';
import { roomserverMigrations } from './storage/migrations/index.ts';
import type { RoomserverTables } from './storage/tables.ts';

export interface RoomserverDeps {
  bus: Bus;
  database: Database;
  jobs: Pick<Jobs, 'serve' | 'reads' | 'start'>;
  config: Pick<Config, 'server_name' | 'default_room_version'> & DeletionConfig;
  signer: Signer;
  logger: Logger;
  /** Knows the keys of other servers. */
  federation: FederationForRoomserver;
  userapi: UserapiForRoomserver;
}

/** Starts the room server: brings its tables up to date, then serves its commands and follows its logs. */
export async function startRoomserver(given: RoomserverDeps): Promise<Stoppable> {
  const { bus, jobs, database, config, signer, logger, federation, userapi } = given;
  await migrate(database, 'roomserver', roomserverMigrations);
  const db = database.tables<RoomserverTables>();
  const deps = {
    db,
    bus,
    signer,
    logger,
    federation,
    userapi,
    writer: new RoomWriter(db, signer, bus),
    serverName: config.server_name,
    defaultRoomVersion: config.default_room_version,
  };
  const lifecycle = new Lifecycle();
  lifecycle.add(
    await bus.serve('roomserver', [
      handle(roomserver.createRoom, (input, context) => createRoom(deps, input, context)),
      handle(roomserver.upgradeRoom, (input, context) => upgradeRoom(deps, input, context)),
      handle(roomserver.changeMembership, (input) => changeMembership(deps, input)),
      handle(roomserver.forgetRoom, (input) => forgetRoom(deps, input)),
      handle(roomserver.sendEvent, (input) => sendEvent(deps, input)),
      handle(roomserver.setRoomAlias, (input) => setRoomAlias(deps, input)),
      handle(roomserver.deleteRoomAlias, (input) => deleteRoomAlias(deps, input)),
      handle(roomserver.setRoomVisibility, (input) => setRoomVisibility(deps, input)),
      handle(roomserver.markDeparturesSeen, (input) => markDeparturesSeen(deps, input)),
      handle(roomserver.openNoticeRoom, (input) => openNoticeRoom(deps, input)),
      handle(roomserver.reportEvent, (input, context) => reportEvent(deps, input, context)),
      handle(roomserver.reportRoom, (input, context) => reportRoom(deps, input, context)),
      handle(roomserver.reportUser, (input, context) => reportUser(deps, input, context)),
      handle(roomserver.updateReport, (input) => updateReport(deps, input)),
      handle(roomserver.deleteReport, (input) => deleteReport(deps, input)),
      ...sharedRoomHandlers(deps),
      handle(roomserver.evacuateRoom, (input, context) => evacuateRoom(deps, input, context)),
      handle(roomserver.evacuateUser, (input, context) => evacuateUser(deps, input, context)),
    ]),
  );
  const deletion = deletionJobs(deps, config.data_dir);
  const handlers = [evacuateRoomSteps(deps), evacuateUserSteps(deps), ...deletion];
  lifecycle.add(await jobs.serve('roomserver', handlers));
  lifecycle.add(await followLogs(given, deps));
  lifecycle.add(listenForForgetting(bus, deps.writer));
  lifecycle.add(keepHouse({ db, jobs, logger, config }));
  return lifecycle;
}

/** What follows from facts, of accounts and of its own. */
async function followLogs(
  { bus, userapi, logger }: RoomserverDeps,
  deps: EvacuateUserDeps & { writer: RoomWriter; serverName: string },
): Promise<Stoppable> {
  const lifecycle = new Lifecycle();
  const once = { parts: () => Promise.resolve([]), partStatement: () => sql`SELECT` };
  const evacuate = (userId: string): ReturnType<typeof evacuateUser> =>
    evacuateUser(deps, { userId, requestedBy: userId, dryRun: false }, once);
  lifecycle.add(await bus.follow(userapiConsumer({ evacuate, logger })));
  const updates = lifecycle.add(new ProfileUpdates({ ...deps, userapi }));
  lifecycle.add(bus.attend(updates));
  lifecycle.add(await bus.follow(profilesConsumer(() => void updates.catchUp())));
  lifecycle.add(await bus.follow(directoryConsumer({ userapi, serverName: deps.serverName })));
  return lifecycle;
}

/** What federation calls. */
function sharedRoomHandlers(deps: ReceiveEventsDeps): Handler[] {
  return [
    handle(roomserver.receiveEvents, (input) => receiveEvents(deps, input)),
    handle(roomserver.storeJoinedRoom, (input) => storeJoinedRoom(deps, input)),
    handle(roomserver.storeOutsideMembership, (input) => storeOutsideMembership(deps, input)),
    handle(roomserver.mergeState, (input) => mergeState(deps, input)),
    handle(roomserver.draftMembership, (input) => draftMembership(deps, input)),
  ];
}
