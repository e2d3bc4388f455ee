export { adminScopes } from './admin-tokens.ts';
export { accountTypes } from './userapi.ts';
export * from './command.ts';
export * from './jobs.ts';
export { eventLogs } from './logs.ts';
export { auditEntry } from './audit.ts';
export * as userapi from './userapi.ts';
export * as roomserver from './roomserver.ts';
export * as search from './search.ts';
export * as federation from './federation.ts';
export * as syncapi from './syncapi.ts';
export type * from './federation.ts';
export type * from './profiles.ts';
export { profileContent } from './profiles.ts';
export type * from './remote-devices.ts';
export type { Notice, NoticeAudience, NoticesForAdmin } from './notices.ts';
export type * from './admin-tokens.ts';
export type * from './registration.ts';
export type * from './audit.ts';
export type * from './userapi.ts';
export type * from './userapi-reads.ts';
export type * from './relations.ts';
export type * from './reports.ts';
export type * from './roomserver.ts';
export type * from './roomserver-admin-reads.ts';
export type * from './roomserver-for-federation.ts';
export type * from './roomserver-for-search.ts';
export type * from './roomserver-reads.ts';
export type * from './search.ts';
export type * from './sliding-rooms.ts';
export * from './sliding-sync.ts';
export type * from './space-rooms.ts';
export type * from './spaces.ts';
export type * from './syncapi.ts';
export {
  publicRoomEntry,
  publicRoomEntryOf,
  publicRoomsPage,
  publicRoomsPageOf,
  publicRoomsSearch,
  foreignRoomEntry,
  spaceRoomEntry,
  spaceRoomEntryOf,
} from './public-rooms.ts';
export * from './room-rows.ts';
export * from './room-jobs.ts';
export * from './room-purgers.ts';
