import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { type JsonObject, notFound, toStrippedState } from '@seneschal/matrix';

import { shownState } from '../queries/stripped-state.ts';
import { restrictedJoin } from '../room/restricted-join.ts';
import { type RoomDraft, stateKeyOf } from '../room/room-draft.ts';
import type { RoomWriter } from '../room/room-writer.ts';

type Input = z.infer<typeof roomserver.draftMembership.input>;
type Output = z.infer<typeof roomserver.draftMembership.output>;

/** Makes a membership event and stores nothing. M_FORBIDDEN when the room does not allow it. */
export async function draftMembership(
  deps: { writer: Pick<RoomWriter, 'run'> },
  { roomId, sender, target, membership, content }: Input,
): Promise<Output> {
  return deps.writer.run(roomId, {
    users: [sender, target],
    isAlone: true,
    isRehearsal: true,
    unknownRoom: notFound('This server is not in the room.'),
    apply: async (work) => {
      const { draft } = work;
      const authorised = membership === 'join' ? await restrictedJoin(work, target) : {};
      const strippedState = strippedStateOf(draft, sender);
      const event = draft.append({
        type: 'm.room.member',
        sender,
        stateKey: target,
        content: { ...content, membership, ...authorised },
      });
      return { roomVersion: draft.room.version.id, event: event.pdu as unknown as JsonObject, strippedState };
    },
  });
}

/** What the invited user gets to know of the room. */
function strippedStateOf(draft: RoomDraft, sender: string): JsonObject[] {
  const state = shownState.flatMap((type) => draft.state.get(stateKeyOf(type, '')) ?? []);
  const own = draft.member(sender)?.event;
  return [...state, ...(own === undefined ? [] : [own])].map(({ pdu }) => toStrippedState(pdu));
}
