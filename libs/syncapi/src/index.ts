export { clientEvent, clientEvents } from './client-event.ts';
export { startSyncapi, type SyncapiDeps } from './component.ts';
export { parseRoomEventFilter } from './filters.ts';
export { syncapiReads, type SyncapiReads, type SyncapiReadsDeps } from './reads.ts';
export { syncapiMigrations } from './storage/migrations/index.ts';
