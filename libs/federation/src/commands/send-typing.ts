import type { federation, RoomserverForFederation } from '@seneschal/contracts';
import type { z } from 'zod';

import { enqueueEphemeral } from '../storage/edus.ts';
import type { FederationDb } from '../storage/tables.ts';

type Input = z.infer<typeof federation.sendTyping.input>;

export interface SendTypingDeps {
  db: FederationDb;
  roomserver: Pick<RoomserverForFederation, 'serversIn'>;
  /** Called when something was queued. */
  wake: () => unknown;
}

/** Queues who types for the servers of the room that answer (server-server API, `m.typing`). */
export async function sendTyping(
  { db, roomserver, wake }: SendTypingDeps,
  { roomId, userId, isTyping }: Input,
): Promise<Record<string, never>> {
  const destinations = (await roomserver.serversIn([roomId])).get(roomId) ?? [];
  const content = { room_id: roomId, user_id: userId, typing: isTyping };
  const subject = JSON.stringify([roomId, userId]);
  await enqueueEphemeral(db, [{ type: 'm.typing', subject, content, destinations }]);
  if (destinations.length > 0) void wake();
  return {};
}
