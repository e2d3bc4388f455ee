import type { TestClient, World } from '@seneschal/testing';

/** Joins through a server that is in the room. */
export async function joinVia(
  who: TestClient,
  roomId: string,
  via: Pick<World, 'serverName'>,
): Promise<void> {
  const path = `/join/${encodeURIComponent(roomId)}?server_name=${encodeURIComponent(via.serverName)}`;
  const joined = await who.call('POST', path, {});
  expect(joined['room_id']).toBe(roomId);
}

let transactions = 0;

/** Sends a message; answers its event ID. */
export async function say(who: TestClient, roomId: string, body: string): Promise<string> {
  transactions += 1;
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${transactions}`;
  return (await who.call('PUT', path, { msgtype: 'm.text', body }))['event_id'] as string;
}

/** The messages that a user sees, the oldest first. */
export async function texts(who: TestClient, roomId: string): Promise<unknown[]> {
  const page = await who.call('GET', `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=100`);
  const chunk = page['chunk'] as { type: string; content: { body?: string } }[];
  return chunk
    .filter(({ type }) => type === 'm.room.message')
    .map(({ content }) => content.body)
    .reverse();
}

export async function membersOf(who: TestClient, roomId: string): Promise<string[]> {
  const answer = await who.call('GET', `/rooms/${encodeURIComponent(roomId)}/joined_members`);
  return Object.keys(answer['joined'] as object).sort();
}

export async function setState(
  who: TestClient,
  roomId: string,
  type: string,
  content: object,
): Promise<string> {
  const sent = await who.call('PUT', `/rooms/${encodeURIComponent(roomId)}/state/${type}/`, content);
  return sent['event_id'] as string;
}

export async function stateOf(who: TestClient, roomId: string, type: string): Promise<unknown> {
  return who.call('GET', `/rooms/${encodeURIComponent(roomId)}/state/${type}/`);
}
