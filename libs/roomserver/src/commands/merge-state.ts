import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { notFound, roomVersion } from '@seneschal/matrix';

import { mergeTold } from '../room/merged-state.ts';
import { asReceived } from '../room/received-event.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { versionOfRoom } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.mergeState.input>;
type Output = z.infer<typeof roomserver.mergeState.output>;

export interface MergeStateDeps {
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
}

/** See the contract. One transaction; naturally idempotent. */
export async function mergeState({ db, writer }: MergeStateDeps, input: Input): Promise<Output> {
  const id = await versionOfRoom(db, input.roomId);
  if (id === undefined) throw notFound('There is no such room.');
  const version = roomVersion(id);
  const events = input.events.map((pdu) => asReceived(pdu, version));
  const { refused, ...merged } = await writer.run(input.roomId, {
    users: [],
    isAlone: true,
    isRehearsal: input.isRehearsal,
    unknownRoom: notFound('There is no such room.'),
    apply: (work) => {
      work.draft.foreign.via = { origin: input.origin, isRelayed: false };
      return mergeTold(work.db, work.draft, { states: input.states, events });
    },
  });
  return { ...merged, refused: [...refused].map(([eventId, reason]) => ({ eventId, reason })) };
}
