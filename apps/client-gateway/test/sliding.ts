import type { TestAnswer, TestClient } from '@seneschal/testing';

import type { TestEvent } from './syncing.ts';

/** One room of an answer of sliding sync. */
export interface SlidingRoom {
  membership?: string;
  initial?: true;
  name?: string | null;
  avatar?: string | null;
  heroes?: { user_id: string; displayname?: string }[];
  is_dm?: boolean;
  lists?: string[];
  timeline: TestEvent[];
  required_state: TestEvent[];
  invite_state?: TestEvent[];
  limited?: boolean;
  prev_batch?: string;
  num_live?: number;
  bump_stamp?: number;
  joined_count?: number;
  invited_count?: number;
  notification_count?: number;
  highlight_count?: number;
  expanded_timeline?: boolean;
  unstable_expanded_timeline?: boolean;
}

export interface SlidingAnswer {
  pos: string;
  txn_id?: string;
  lists: Record<string, { count: number; ops: { op: string; range: number[]; room_ids: string[] }[] }>;
  rooms: Record<string, SlidingRoom>;
  extensions: {
    to_device?: { next_batch: string; events: { type: string; content: object }[] };
    e2ee?: { device_lists?: { changed: string[]; left: string[] }; device_one_time_keys_count: object };
    account_data?: { global: { type: string }[]; rooms: Record<string, { type: string; content: object }[]> };
    receipts?: { rooms: Record<string, { content: Record<string, Record<string, Record<string, object>>> }> };
    typing?: { rooms: Record<string, { content: { user_ids: string[] } }> };
  };
}

export const slidingPath = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';

export type SlidingState = [string, string][];

/** A list of all rooms, with the given window and state. */
export function everything(
  more: {
    ranges?: number[][];
    timeline_limit?: number;
    required_state?: SlidingState;
    filters?: object;
  } = {},
): { all: object } {
  return { all: { ranges: [[0, 99]], timeline_limit: 10, required_state: [], ...more } };
}

export function askSliding(
  client: TestClient,
  body: object,
  query: { pos?: string; timeout?: number } = {},
): Promise<TestAnswer> {
  return client.request('POST', slidingPath, { query, body });
}

/** An answer that has to come. */
export async function slide(
  client: TestClient,
  body: object,
  query: { pos?: string; timeout?: number } = {},
): Promise<SlidingAnswer> {
  const answer = await askSliding(client, body, query);
  if (answer.status !== 200) throw new Error(`sliding sync: ${answer.status} ${answer.text}`);
  return answer.body as unknown as SlidingAnswer;
}

/** `type` or `type key` of events. */
export function keysOf(events: readonly TestEvent[]): string[] {
  return events.map(({ type, state_key: key }) =>
    key === undefined || key === '' ? type : `${type} ${key}`,
  );
}
