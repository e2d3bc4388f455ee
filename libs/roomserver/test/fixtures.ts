import { generateSigningKey, type JsonObject, roomVersion, type Signer } from '@seneschal/matrix';

import { createContent, initialEvents } from '../src/room/initial-events.ts';
import { RoomDraft } from '../src/room/room-draft.ts';

export const signer: Signer = { serverName: 'localhost', key: generateSigningKey() };

const input = {
  creator: '@alice:localhost',
  profile: {},
  preset: 'public_chat' as const,
  listed: false,
  isDirect: false,
  invite: [],
  initialState: [],
  creationContent: {},
};

/** A new public room of version 11 with its first events; `users` can be asked about, but are not in it. */
export function newRoom(users: readonly string[] = []): RoomDraft {
  const version = roomVersion('11');
  const draft = new RoomDraft(
    {
      roomNid: 1,
      roomId: '!room:localhost',
      version,
      forwardExtremities: [],
      depth: 0,
      lastPosition: 0,
      isBlocked: false,
      state: new Map(),
    },
    signer,
  );
  for (const userId of [input.creator, ...users]) draft.setMember(userId, undefined);
  draft.append({
    type: 'm.room.create',
    sender: input.creator,
    stateKey: '',
    content: createContent(input, version),
  });
  for (const event of initialEvents(input, version, undefined)) draft.append(event);
  return draft;
}

export function join(draft: RoomDraft, userId: string, more: JsonObject = {}): void {
  draft.append({
    type: 'm.room.member',
    sender: userId,
    stateKey: userId,
    content: { membership: 'join', ...more },
  });
}
