import type { HttpClient } from '../shared/client.ts';
import { at, texts, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';

/** A check that did not hold; its message is shown behind the call. */
export class Unverified extends Error {}

export function verify(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Unverified(problem);
}

const v3 = '/_matrix/client/v3';

export async function joinedRooms(client: HttpClient, user: User): Promise<string[]> {
  const answer = await client.expect('GET', `${v3}/joined_rooms`, { token: user.token });
  return texts(answer['joined_rooms']);
}

/** Every user's next sync has the room under `leave`, and joined_rooms no longer has it. */
export async function verifyLeft(
  client: HttpClient,
  users: readonly User[],
  roomIds: readonly string[],
  syncedTo: ReadonlyMap<string, string>,
): Promise<void> {
  await parallel(users, 8, async (user) => {
    const since = syncedTo.get(user.userId);
    const answer = await client.expect('GET', `${v3}/sync`, {
      token: user.token,
      query: { timeout: '0', ...(since === undefined ? {} : { since }) },
    });
    for (const roomId of roomIds) {
      verify(
        at(answer, 'rooms', 'leave', roomId) !== undefined,
        `${user.userId} does not see ${roomId} left`,
      );
      verify(at(answer, 'rooms', 'join', roomId) === undefined, `${user.userId} still sees ${roomId} joined`);
    }
    const joined = await joinedRooms(client, user);
    verify(!roomIds.some((roomId) => joined.includes(roomId)), `${user.userId} is still joined`);
  });
}

export function verifySame(actual: readonly string[], expected: readonly string[], what: string): void {
  const isSame =
    actual.length === expected.length &&
    new Set([...actual, ...expected]).size === expected.length &&
    new Set(actual).size === actual.length;
  verify(isSame, `${what}: ${actual.length} instead of ${expected.length}`);
}

export async function verifyStatus(
  client: HttpClient,
  method: string,
  path: string,
  options: { token?: string; body?: unknown },
  status: number,
): Promise<void> {
  const answer = await client.request(method, path, options);
  verify(answer.status === status, `${method} ${path} answered ${answer.status} instead of ${status}`);
}
