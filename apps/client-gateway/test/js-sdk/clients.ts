import { jest } from '@jest/globals';
import { LoggerLevel, Tracing } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { World } from '@seneschal/testing';
import {
  ClientEvent,
  createClient,
  type ICreateClientOpts,
  type MatrixClient,
  MatrixEventEvent,
  type Room,
  SyncState,
  ThreadEvent,
} from 'matrix-js-sdk';
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/CryptoEvent.js';
import { type MSC3575List, SlidingSync } from 'matrix-js-sdk/lib/sliding-sync.js';

/** Waits of these tests are for events, so that the limit is met only by what never happens. */
jest.setTimeout(90_000);
for (const level of ['debug', 'info', 'log', 'warn', 'error', 'trace'] as const) {
  jest.spyOn(console, level).mockImplementation(() => undefined);
}

// The client leaves the time limits of its requests behind, which must not keep the process of the tests.
const startTimer = globalThis.setTimeout;
jest
  .spyOn(globalThis, 'setTimeout')
  .mockImplementation((...args: Parameters<typeof startTimer>) => startTimer(...args).unref());

export const password = 'correct horse';

/** An answer that a client got. */
export interface Heard {
  method: string;
  path: string;
  status: number;
  errcode?: string;
}

export interface Person {
  readonly client: MatrixClient;
  readonly userId: string;
  /** What the client asked for so far, and how it was answered. */
  readonly heard: readonly Heard[];
}

export interface PersonOptions extends Pick<ICreateClientOpts, 'cryptoCallbacks'> {
  encrypted?: boolean;
  /** Lists of sliding sync, by which the client learns of rooms instead of by plain sync. */
  lists?: Record<string, MSC3575List>;
}

/** Logs in by password, as an application does, starts the client, and waits until it has synced. */
export async function logIn(world: World, name: string, options: PersonOptions = {}): Promise<Person> {
  const { encrypted = false, lists, ...rest } = options;
  const heard: Heard[] = [];
  const common = { baseUrl: world.url, fetchFn: listener(world.url, heard) };
  const session = await createClient(common).loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: name },
    password,
  });
  const client = createClient({
    ...common,
    ...rest,
    userId: session.user_id,
    deviceId: session.device_id,
    accessToken: session.access_token,
    timelineSupport: true,
  });
  if (encrypted) {
    await client.initRustCrypto({ useIndexedDB: false });
    new Tracing(LoggerLevel.Error).turnOff();
  }
  const prepared = new Promise<void>((resolve) => {
    client.on(ClientEvent.Sync, (state) => {
      if (state === SyncState.Prepared) resolve();
    });
  });
  await client.startClient({
    threadSupport: true,
    lazyLoadMembers: true,
    initialSyncLimit: 20,
    ...(lists === undefined ? {} : { slidingSync: slidingSync(world, client, lists) }),
  });
  await prepared;
  return { client, userId: session.user_id, heard };
}

function slidingSync(world: World, client: MatrixClient, lists: Record<string, MSC3575List>): SlidingSync {
  return new SlidingSync(world.url, new Map(Object.entries(lists)), {}, client, 10_000);
}

function listener(url: string, heard: Heard[]): typeof fetch {
  return async (input, init) => {
    const answer = await fetch(input, init);
    const path = String(input instanceof Request ? input.url : input).slice(url.length);
    const { errcode } = answer.ok ? {} : ((await answer.clone().json()) as { errcode?: string });
    heard.push({
      method: init?.method ?? 'GET',
      path: path.split('?')[0] ?? '',
      status: answer.status,
      ...(errcode === undefined ? {} : { errcode }),
    });
    return answer;
  };
}

const signs = [
  ClientEvent.Sync,
  MatrixEventEvent.Decrypted,
  CryptoEvent.UserTrustStatusChanged,
  CryptoEvent.DevicesUpdated,
  CryptoEvent.KeysChanged,
] as const;
const signsOfThreads = [ThreadEvent.New, ThreadEvent.NewReply, ThreadEvent.Update] as const;

/**
 * The first value that `look` finds, now or after something that the client hears. The threads of a room are heard
 * of if it is given.
 */
export function until<T>(
  { client }: Person,
  look: () => T | Promise<T>,
  room?: Room,
): Promise<NonNullable<T>> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      for (const sign of signs) client.off(sign, check);
      for (const sign of signsOfThreads) room?.off(sign, check);
    };
    const check = (): void => {
      Promise.resolve()
        .then(look)
        .then((found) => {
          if (found === undefined || found === null || found === false) return;
          stop();
          resolve(found);
        })
        .catch((error: unknown) => {
          stop();
          reject(error instanceof Error ? error : new Error(String(error)));
        });
    };
    for (const sign of signs) client.on(sign, check);
    for (const sign of signsOfThreads) room?.on(sign, check);
    check();
  });
}

/** The room as the client holds it, once it is joined. */
export function roomOf(person: Person, roomId: string): Promise<Room> {
  return until(person, () => {
    const room = person.client.getRoom(roomId);
    return room?.getMyMembership() === 'join' ? room : null;
  });
}

/** A room of the first person that the others are invited to and join; answers its ID. */
export async function sharedRoom(
  owner: Person,
  others: readonly Person[],
  options: Parameters<MatrixClient['createRoom']>[0] = {},
): Promise<string> {
  const invite = others.map(({ userId }) => userId);
  const { room_id: roomId } = await owner.client.createRoom({ ...options, invite });
  for (const other of others) {
    await until(other, () => other.client.getRoom(roomId)?.getMyMembership() === 'invite');
    await other.client.joinRoom(roomId);
  }
  await Promise.all([owner, ...others].map((person) => roomOf(person, roomId)));
  return roomId;
}
