import type { TestClient } from '@seneschal/testing';

export interface TestEvent {
  type: string;
  state_key?: string;
  sender: string;
  event_id: string;
  room_id?: string;
  content: Record<string, unknown>;
  unsigned?: Record<string, unknown>;
}

export interface TestTimeline {
  events: TestEvent[];
  limited: boolean;
  prev_batch: string;
}

export interface JoinedRoom {
  timeline: TestTimeline;
  state: { events: TestEvent[] };
  summary: Record<string, unknown>;
  account_data: { events: { type: string; content: object }[] };
  ephemeral: { events: { type: string; content: object }[] };
  unread_notifications: object;
  unread_thread_notifications?: object;
}

export interface SyncAnswer {
  next_batch: string;
  rooms: {
    join: Record<string, JoinedRoom>;
    invite: Record<string, { invite_state: { events: TestEvent[] } }>;
    knock: Record<string, { knock_state: { events: TestEvent[] } }>;
    leave: Record<string, { timeline: TestTimeline; state: { events: TestEvent[] } }>;
  };
  account_data: { events: { type: string; content: object }[] };
  device_lists: { changed: string[]; left: string[] };
  to_device: { events: { type: string; sender: string; content: object }[] };
}

export interface SyncOptions {
  since?: string;
  timeout?: number;
  filter?: object | string;
  full_state?: boolean;
}

export async function sync(client: TestClient, options: SyncOptions = {}): Promise<SyncAnswer> {
  const { filter, ...rest } = options;
  const query = {
    ...rest,
    ...(filter === undefined ? {} : { filter: typeof filter === 'string' ? filter : JSON.stringify(filter) }),
  };
  const answer = await client.request('GET', '/_matrix/client/v3/sync', { query });
  if (answer.status !== 200) throw new Error(`sync: ${answer.status} ${answer.text}`);
  return answer.body as unknown as SyncAnswer;
}

let transactions = 0;

/** Sends a message; answers its event ID. */
export async function say(client: TestClient, roomId: string, body: string): Promise<string> {
  transactions += 1;
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${transactions}`;
  const sent = await client.call('PUT', path, { msgtype: 'm.text', body });
  return sent['event_id'] as string;
}

export async function setState(
  client: TestClient,
  roomId: string,
  type: string,
  content: object,
  stateKey = '',
): Promise<string> {
  const path = `/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`;
  return (await client.call('PUT', path, content))['event_id'] as string;
}

export function room(roomId: string, path: string): string {
  return `/rooms/${encodeURIComponent(roomId)}${path}`;
}

/** What the messages among the events say. */
export function said(events: readonly TestEvent[]): unknown[] {
  return events.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body']);
}
