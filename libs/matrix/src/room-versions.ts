import { unsupportedRoomVersion } from './errors.ts';
import { REDACTION_V11, REDACTION_V9, type RedactionRules } from './redaction-rules.ts';

/** Everything in which room versions differ; one row per version (specification, "Room Versions"). */
export interface RoomVersion {
  readonly id: string;
  /** 'in-event' (1, 2): the `event_id` field; 'hash' (3): reference hash in Base64; 'url-safe-hash' (from 4). */
  readonly eventIdFormat: 'in-event' | 'hash' | 'url-safe-hash';
  /** prev_events and auth_events: pairs of ID and hash (1, 2) or plain event IDs (from 3). */
  readonly eventReferences: 'pairs' | 'ids';
  readonly stateResolution: '1' | '2' | '2.1';
  readonly redaction: RedactionRules;
  /** From 6: floats and out-of-range integers are refused. */
  readonly strictCanonicalJson: boolean;
  /** From 5: signatures only count while the key was valid. */
  readonly enforcesKeyValidity: boolean;
  /** From 10: power levels must be integers, not strings that hold one. */
  readonly integerPowerLevels: boolean;
  /** From 6: the power level rules also protect `notifications`. */
  readonly notificationPowerLevels: boolean;
  /** 1 to 5: `m.room.aliases` has its own authorisation rule. */
  readonly aliasesRule: boolean;
  /** 1 and 2: redactions are judged by the authorisation rules, later when they are applied. */
  readonly redactionAuthRule: boolean;
  /** From 7. */
  readonly knocking: boolean;
  /** From 8: join rule `restricted`. */
  readonly restrictedJoins: boolean;
  /** From 10: join rule `knock_restricted`. */
  readonly knockRestricted: boolean;
  /** From 11: the creator is the sender of the create event, not `content.creator`. */
  readonly implicitRoomCreator: boolean;
  /** From 11: `redacts` is in the content of a redaction, not beside it. */
  readonly redactsInContent: boolean;
  /** From 12: creators (with `additional_creators`) stand above every power level. */
  readonly privilegedCreators: boolean;
  /** From 12: the room ID is the create event's ID, so the create event has no room_id and is no auth event. */
  readonly roomIdIsCreateHash: boolean;
}

const V10: RoomVersion = {
  id: '10',
  eventIdFormat: 'url-safe-hash',
  eventReferences: 'ids',
  stateResolution: '2',
  redaction: REDACTION_V9,
  strictCanonicalJson: true,
  enforcesKeyValidity: true,
  integerPowerLevels: true,
  notificationPowerLevels: true,
  aliasesRule: false,
  redactionAuthRule: false,
  knocking: true,
  restrictedJoins: true,
  knockRestricted: true,
  implicitRoomCreator: false,
  redactsInContent: false,
  privilegedCreators: false,
  roomIdIsCreateHash: false,
};

const V11: RoomVersion = {
  ...V10,
  id: '11',
  redaction: REDACTION_V11,
  implicitRoomCreator: true,
  redactsInContent: true,
};

const V12: RoomVersion = {
  ...V11,
  id: '12',
  stateResolution: '2.1',
  privilegedCreators: true,
  roomIdIsCreateHash: true,
};

const VERSIONS = new Map([V10, V11, V12].map((version) => [version.id, Object.freeze(version)]));

export const supportedRoomVersions: readonly string[] = [...VERSIONS.keys()];
export const defaultRoomVersion = '12';

/** The properties of a room version; throws M_UNSUPPORTED_ROOM_VERSION for one that is not in the table. */
export function roomVersion(id: string): RoomVersion {
  const version = VERSIONS.get(id);
  if (version === undefined) throw unsupportedRoomVersion();
  return version;
}
