import { unsupportedRoomVersion } from './errors.ts';
import {
  REDACTION_V1,
  REDACTION_V11,
  REDACTION_V6,
  REDACTION_V8,
  REDACTION_V9,
  type RedactionRules,
} from './redaction-rules.ts';

/** Everything in which room versions differ; one row per version (specification, "Room Versions"). */
export interface RoomVersion {
  readonly id: string;
  /** 'in-event' (1, 2): the `event_id` field; 'hash' (3): reference hash in Base64; 'url-safe-hash' (from 4). */
  readonly eventIdFormat: 'in-event' | 'hash' | 'url-safe-hash';
  /** prev_events and auth_events: pairs of ID and hash (1, 2) or plain event IDs (from 3). */
  readonly eventReferences: 'pairs' | 'ids';
  readonly stateResolution: '1' | '2' | '2.1';
  readonly redaction: RedactionRules;
  /** From 6: floats and out-of-range integers are refused; before, any finite number may stand in an event. */
  readonly strictCanonicalJson: boolean;
  /** From 5: signatures only count while the key was valid. */
  readonly enforcesKeyValidity: boolean;
  /** What a power level may be: 1 to 5 also floats, which are cut to integers; up to 9 strings that hold an integer. */
  readonly powerLevelTypes: 'floats-and-strings' | 'strings' | 'integers';
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

const V1: RoomVersion = {
  id: '1',
  eventIdFormat: 'in-event',
  eventReferences: 'pairs',
  stateResolution: '1',
  redaction: REDACTION_V1,
  strictCanonicalJson: false,
  enforcesKeyValidity: false,
  powerLevelTypes: 'floats-and-strings',
  notificationPowerLevels: false,
  aliasesRule: true,
  redactionAuthRule: true,
  knocking: false,
  restrictedJoins: false,
  knockRestricted: false,
  implicitRoomCreator: false,
  redactsInContent: false,
  privilegedCreators: false,
  roomIdIsCreateHash: false,
};

const V2: RoomVersion = { ...V1, id: '2', stateResolution: '2' };

const V3: RoomVersion = {
  ...V2,
  id: '3',
  eventIdFormat: 'hash',
  eventReferences: 'ids',
  redactionAuthRule: false,
};

const V4: RoomVersion = { ...V3, id: '4', eventIdFormat: 'url-safe-hash' };

const V5: RoomVersion = { ...V4, id: '5', enforcesKeyValidity: true };

const V6: RoomVersion = {
  ...V5,
  id: '6',
  redaction: REDACTION_V6,
  strictCanonicalJson: true,
  powerLevelTypes: 'strings',
  notificationPowerLevels: true,
  aliasesRule: false,
};

const V7: RoomVersion = { ...V6, id: '7', knocking: true };

const V8: RoomVersion = { ...V7, id: '8', redaction: REDACTION_V8, restrictedJoins: true };

const V9: RoomVersion = { ...V8, id: '9', redaction: REDACTION_V9 };

const V10: RoomVersion = { ...V9, id: '10', powerLevelTypes: 'integers', knockRestricted: true };

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

const VERSIONS = new Map(
  [V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12].map((version) => [version.id, Object.freeze(version)]),
);

export const supportedRoomVersions: readonly string[] = [...VERSIONS.keys()];
export const defaultRoomVersion = '12';

/** The properties of a room version; throws M_UNSUPPORTED_ROOM_VERSION for one that is not in the table. */
export function roomVersion(id: string): RoomVersion {
  const version = VERSIONS.get(id);
  if (version === undefined) throw unsupportedRoomVersion();
  return version;
}
