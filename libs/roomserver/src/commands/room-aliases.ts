import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { forbidden, invalidParam, MatrixError, notFound, parseRoomAlias } from '@seneschal/matrix';

import { maySetState } from '../room/power.ts';
import type { RoomDraft } from '../room/room-draft.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { deleteAlias, findAlias, insertAlias } from '../storage/aliases.ts';
import type { RoomserverTables } from '../storage/tables.ts';

export interface RoomAliasDeps {
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
  serverName: string;
}

type Empty = Record<string, never>;

/** Points an alias of this server to a room that the user is in. 409 M_UNKNOWN when it points elsewhere. */
export async function setRoomAlias(
  deps: RoomAliasDeps,
  input: z.infer<typeof roomserver.setRoomAlias.input>,
): Promise<Empty> {
  if (parseRoomAlias(input.alias).serverName !== deps.serverName) {
    throw invalidParam('The alias is of another server.');
  }
  return deps.writer.run(input.roomId, {
    users: [input.creator],
    apply: async ({ draft, db }) => {
      if (draft.membership(input.creator) !== 'join') throw forbidden('Join the room to give it an alias.');
      const alias = { alias: input.alias, roomNid: draft.room.roomNid, creator: input.creator };
      const isNew = await insertAlias(db, alias);
      const known = isNew ? undefined : await findAlias(db, input.alias);
      if (!isNew && known === undefined) throw forbidden('The room is gone.');
      if (known !== undefined && known.room_nid !== draft.room.roomNid) {
        throw new MatrixError(409, 'M_UNKNOWN', 'The alias is taken.');
      }
      return {};
    },
  });
}

/** Takes an alias away: for its creator, and for those who may set the room's canonical alias. */
export async function deleteRoomAlias(
  deps: RoomAliasDeps,
  input: z.infer<typeof roomserver.deleteRoomAlias.input>,
): Promise<Empty> {
  const alias = await findAlias(deps.db, input.alias);
  if (alias === undefined) throw notFound('There is no such alias.');
  return deps.writer.run(alias.room_id, {
    users: [input.requestedBy],
    apply: async ({ draft, db }) => {
      if (alias.creator !== input.requestedBy) demandAliasPower(draft, input.requestedBy);
      await deleteAlias(db, input.alias);
      return {};
    },
  });
}

/** Lists a room in the directory or takes it off: for those who may set the room's canonical alias. */
export async function setRoomVisibility(
  deps: RoomAliasDeps,
  input: z.infer<typeof roomserver.setRoomVisibility.input>,
): Promise<Empty> {
  return deps.writer.run(input.roomId, {
    users: [input.requestedBy],
    unknownRoom: notFound('There is no such room.'),
    apply: async ({ draft, db }) => {
      demandAliasPower(draft, input.requestedBy);
      await db
        .updateTable('roomserver_rooms')
        .set({ is_listed: input.listed })
        .where('room_nid', '=', draft.room.roomNid)
        .execute();
      return {};
    },
  });
}

function demandAliasPower(draft: RoomDraft, userId: string): void {
  const isAllowed = maySetState(draft, userId, 'm.room.canonical_alias');
  if (!isAllowed) throw forbidden('You lack the power level for this in the room.');
}
