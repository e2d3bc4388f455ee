import type { RoomEventContext, RoomserverForClient, StoredEvent } from '@seneschal/contracts';

import { eventsAt } from './event-rows.ts';
import { event as findEvent } from './event.ts';
import { messages } from './messages.ts';
import type { ReaderDeps } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { viewRoom } from './room-view.ts';
import { allMemberPositions, memberPositions, statePositions } from './state-positions.ts';

type Options = Parameters<RoomserverForClient['eventContext']>[3];

/** One event, half of the limit before it, the rest after it, and the state as of the last of them. */
export async function eventContext(
  deps: ReaderDeps,
  roomId: string,
  userId: string,
  eventId: string,
  options: Options,
): Promise<RoomEventContext | undefined> {
  const { limit, deviceId, filter, lazyLoadMembers } = options;
  const event = await findEvent(deps, roomId, userId, eventId, deviceId);
  if (event === undefined) return undefined;
  const { position } = event;
  const common = { deviceId, ...(filter === undefined ? {} : { filter }) };
  const half = Math.floor(limit / 2);
  const earlier = { ...common, direction: 'b' as const, from: position - 1, limit: half };
  const later = { ...common, direction: 'f' as const, from: position, limit: limit - half };
  const { events: before, end: start } = await messages(deps, roomId, userId, earlier);
  const { events: after } = await messages(deps, roomId, userId, later);
  const end = after.at(-1)?.position ?? position;
  const senders =
    lazyLoadMembers === true ? [event, ...before, ...after].map(({ pdu }) => pdu.sender) : undefined;
  const state = await stateAt(deps, roomId, userId, end, senders);
  return { event, before, after, state, start: start ?? (before.at(-1) ?? event).position - 1, end };
}

async function stateAt(
  deps: QueryDeps,
  roomId: string,
  userId: string,
  bound: number,
  senders: readonly string[] | undefined,
): Promise<StoredEvent[]> {
  const { roomNid } = await viewRoom(deps, roomId, userId);
  const range = { roomNid, since: 0, bound };
  const positions = await statePositions(deps, [range]);
  const members =
    senders === undefined
      ? await allMemberPositions(deps, [range])
      : await memberPositions(deps, [{ roomNid, bound, userIds: senders }]);
  return eventsAt(deps, [...positions, ...members]);
}
