import type { Kysely, Transaction } from 'kysely';
import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { lockLog, transact } from '@seneschal/database';
import { forbidden, isMatrixError, roomVersion, type RoomVersion, type Signer } from '@seneschal/matrix';

import { memberContent } from '../room/initial-events.ts';
import { openRoom } from '../room/open-room.ts';
import { maySetState } from '../room/power.ts';
import type { EventInput, RoomDraft } from '../room/room-draft.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { closingLevels, successorContent, successorLevels, transferredState } from '../room/succession.ts';
import { moveAliases } from '../storage/aliases.ts';
import { type Ban, newestBans } from '../storage/memberships.ts';
import { moveListing, versionOfRoom } from '../storage/rooms.ts';
import { storeDraft } from '../storage/store-draft.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.upgradeRoom.input>;
type Output = z.infer<typeof roomserver.upgradeRoom.output>;

/** Everything else on the server waits for an upgrade: so many bans take less than a second. */
const mostBans = 5000;

export interface UpgradeRoomDeps {
  db: Kysely<RoomserverTables>;
  bus: WakeBus;
  signer: Signer;
  writer: Pick<RoomWriter, 'runWithin'>;
}

/**
 * Replaces a room by a new one of another version, all in one transaction: the new room with the old one's state and bans, the
 * local aliases and the place in the directory moved to it, the old one closed with a tombstone. A room that was upgraded
 * to this version already answers its replacement. M_UNSUPPORTED_ROOM_VERSION, M_FORBIDDEN when the user may not send a
 * tombstone.
 */
export async function upgradeRoom(
  deps: UpgradeRoomDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const version = roomVersion(input.newVersion);
  const { output, position } = await transact(deps.db, async (transaction) => {
    await lockLog(transaction, 'roomserver_output');
    const { result, position: last } = await deps.writer.runWithin(transaction, input.roomId, {
      users: [input.requestedBy],
      isAlone: true,
      apply: ({ draft }) => succeed(deps, transaction, draft, input, version),
    });
    await context.remember(transaction, result);
    return { output: result, position: last };
  });
  if (position !== undefined) deps.bus.wake(roomserver.roomserverOutput, position);
  return output;
}

async function succeed(
  deps: UpgradeRoomDeps,
  transaction: Transaction<RoomserverTables>,
  old: RoomDraft,
  input: Input,
  version: RoomVersion,
): Promise<Output> {
  const { requestedBy } = input;
  if (!maySetState(old, requestedBy, 'm.room.tombstone')) throw forbidden('You cannot upgrade this room.');
  if (old.room.isBlocked) throw forbidden('An administrator has blocked this room.');
  const known = old.stateEvent('m.room.tombstone')?.pdu.content['replacement_room'];
  if (typeof known === 'string' && (await versionOfRoom(transaction, known)) === version.id) {
    return { replacementRoom: known };
  }
  const successor = await openRoom(transaction, deps.signer, {
    creator: requestedBy,
    users: [],
    content: successorContent(old, version, requestedBy, input.additionalCreators),
    version,
    isListed: false,
  });
  fill(successor, old, input, await newestBans(transaction, old.room.roomNid, mostBans));
  await storeDraft(transaction, { draft: successor, sent: [], serverName: deps.signer.serverName });
  const rooms = { from: old.room.roomNid, to: successor.room.roomNid };
  await moveAliases(transaction, rooms);
  await moveListing(transaction, rooms);
  close(old, successor.room.roomId, requestedBy);
  return { replacementRoom: successor.room.roomId };
}

/** The power levels come last: until then the creator may set all state, whatever level they leave it. */
function fill(
  successor: RoomDraft,
  old: RoomDraft,
  { requestedBy: sender, profile }: Input,
  bans: readonly Ban[],
): void {
  const content = memberContent('join', profile);
  successor.append({ type: 'm.room.member', sender, stateKey: sender, content });
  const state = transferredState(old, successor.room.version, sender);
  for (const event of state) appendIfAllowed(successor, event);
  const alias = old.stateEvent('m.room.canonical_alias')?.pdu.content;
  if (alias !== undefined) {
    appendIfAllowed(successor, { type: 'm.room.canonical_alias', sender, stateKey: '', content: alias });
  }
  for (const { userId, reason } of bans) {
    if (userId === sender) continue;
    successor.setMember(userId, undefined);
    const ban = { membership: 'ban', ...(reason === undefined ? {} : { reason }) };
    appendIfAllowed(successor, { type: 'm.room.member', sender, stateKey: userId, content: ban });
  }
  const levels = successorLevels(old, successor, sender);
  successor.append({ type: 'm.room.power_levels', sender, stateKey: '', content: levels });
}

function close(old: RoomDraft, replacementRoom: string, sender: string): void {
  const body = 'This room has been replaced';
  const content = { body, replacement_room: replacementRoom };
  old.append({ type: 'm.room.tombstone', sender, stateKey: '', content });
  if (old.stateEvent('m.room.canonical_alias') !== undefined) {
    appendIfAllowed(old, { type: 'm.room.canonical_alias', sender, stateKey: '', content: {} });
  }
  const levels = closingLevels(old);
  if (levels === undefined) return;
  appendIfAllowed(old, { type: 'm.room.power_levels', sender, stateKey: '', content: levels });
}

/** What the user may not do, and content that the new version does not take, is left out and stops nothing. */
function appendIfAllowed(draft: RoomDraft, event: EventInput): void {
  try {
    draft.append(event);
  } catch (error) {
    if (!isMatrixError(error)) throw error;
  }
}
