import {
  buildEvent,
  entryFromTemplate,
  type JsonObject,
  own,
  ownString,
  type Pdu,
  roomVersion,
  type RoomVersion,
  type Signer,
  supportedRoomVersions,
} from '@seneschal/matrix';

import type { FederationClient } from '../transport/federation-client.ts';

export interface MakeEntryDeps {
  client: Pick<FederationClient, 'send'>;
  signer: Signer;
}

export interface MadeEntry {
  versionId: string;
  version: RoomVersion;
  eventId: string;
  pdu: Pdu;
}

const timeoutMs = 30_000;

/**
 * The join or the knock of a local user, signed, after the template that a server of the room answers to make_join or
 * make_knock. Nothing of it is signed but what was asked for: see `entryFromTemplate`.
 */
export async function makeEntry(
  { client, signer }: MakeEntryDeps,
  membership: 'join' | 'knock',
  server: string,
  { roomId, userId, content }: { roomId: string; userId: string; content: JsonObject },
): Promise<MadeEntry> {
  const versions = supportedRoomVersions.map((id) => `ver=${id}`).join('&');
  const template = await client.send({
    destination: server,
    method: 'GET',
    uri: `/_matrix/federation/v1/make_${membership}/${encodeURIComponent(roomId)}/${encodeURIComponent(userId)}?${versions}`,
    timeoutMs,
  });
  // Rooms of version 1 need not say so, and know no knocking.
  const versionId = ownString(template, 'room_version') ?? (membership === 'join' ? '1' : '');
  const expected = { roomId, userId, roomVersion: versionId, origin_server_ts: Date.now() };
  const proto = entryFromTemplate(own(template, 'event'), expected, { ...content, membership });
  const version = roomVersion(versionId);
  return { versionId, version, ...buildEvent(proto, version, signer) };
}
