export { startRoomserver, type RoomserverDeps } from './component.ts';
export { roomserverReads, type RoomserverReads } from './reads.ts';
export { roomserverForFederation } from './reads-for-federation.ts';
export { roomserverMigrations } from './storage/migrations/index.ts';
