import { z } from 'zod';

import { type BackedUpSession, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { jsonObject, roomId, text } from './schemas.ts';

interface ReadDeps {
  userapi: Pick<AccountDeps['userapi'], 'backedUpSessions'>;
}

const all = clientPaths('/room_keys/keys');
const ofRoom = clientPaths('/room_keys/keys/:roomId');
const one = clientPaths('/room_keys/keys/:roomId/:sessionId');
const roomParams = z.object({ roomId });
const sessionParams = z.object({ roomId, sessionId: text() });
const query = z.object({ version: text() });
const size = z.object({ count: z.number(), etag: z.string() });

const whole = z.int().min(0);
const session = z.object({
  first_message_index: whole,
  forwarded_count: whole,
  is_verified: z.boolean(),
  session_data: jsonObject,
});
const sessions = z.object({ sessions: z.record(text(), session) });
const rooms = z.object({ rooms: z.record(roomId, sessions) });

type Session = z.infer<typeof session>;
type Sessions = z.infer<typeof sessions>;

const write = { access: 'user', rateLimit: 'write', query, answer: size } as const;
const read = { access: 'user', rateLimit: 'read', query } as const;

/** `PUT /room_keys/keys…`: for all rooms, one room, one session. */
export const storeBackedUpSessions = ({ bus }: Pick<AccountDeps, 'bus'>): Endpoint[] => {
  const store = (userId: string, version: string, stored: BackedUpSession[]): Promise<z.infer<typeof size>> =>
    bus.call(userapi.storeBackedUpSessions, { userId, version, sessions: stored });
  return [
    endpoint({
      method: 'PUT',
      path: all,
      ...write,
      summary: 'Store keys in a backup',
      body: rooms,
      handle: ({ requester: { userId }, query: { version }, body }) =>
        store(userId, version, Object.entries(body.rooms).flatMap(storedOfRoom)),
    }),
    endpoint({
      method: 'PUT',
      path: ofRoom,
      ...write,
      summary: 'Store keys of a room in a backup',
      params: roomParams,
      body: sessions,
      handle: ({ requester: { userId }, query: { version }, params, body }) =>
        store(userId, version, storedOfRoom([params.roomId, body])),
    }),
    endpoint({
      method: 'PUT',
      path: one,
      ...write,
      summary: 'Store one key in a backup',
      params: sessionParams,
      body: session,
      handle: ({ requester: { userId }, query: { version }, params, body }) =>
        store(userId, version, [stored(params.roomId, params.sessionId, body)]),
    }),
  ];
};

/** `GET /room_keys/keys…`. What there is none of is empty; one session that is not there is M_NOT_FOUND. */
export const backedUpSessions = (deps: ReadDeps): Endpoint[] => {
  const find = async (
    which: Parameters<ReadDeps['userapi']['backedUpSessions']>[0],
  ): Promise<BackedUpSession[]> => {
    const found = await deps.userapi.backedUpSessions(which);
    if (found === undefined) throw notFound('There is no such key backup.');
    return found;
  };
  return [
    endpoint({
      method: 'GET',
      path: all,
      ...read,
      summary: 'All keys of a backup',
      answer: rooms,
      handle: async ({ requester: { userId }, query: { version } }) => ({
        rooms: byRoom(await find({ userId, version })),
      }),
    }),
    endpoint({
      method: 'GET',
      path: ofRoom,
      ...read,
      summary: 'The keys of a room in a backup',
      params: roomParams,
      answer: sessions,
      handle: async ({ requester: { userId }, query: { version }, params }) =>
        byRoom(await find({ userId, version, ...params }))[params.roomId] ?? { sessions: {} },
    }),
    endpoint({
      method: 'GET',
      path: one,
      ...read,
      summary: 'One key of a backup',
      params: sessionParams,
      answer: session,
      handle: async ({ requester: { userId }, query: { version }, params }) => {
        const [found] = await find({ userId, version, ...params });
        if (found === undefined) throw notFound('There is no such key in the backup.');
        return shown(found);
      },
    }),
  ];
};

/** `DELETE /room_keys/keys…`. */
export const deleteBackedUpSessions = ({ bus }: Pick<AccountDeps, 'bus'>): Endpoint[] => [
  endpoint({
    method: 'DELETE',
    path: all,
    ...write,
    summary: 'Delete all keys of a backup',
    handle: ({ requester: { userId }, query: { version } }) =>
      bus.call(userapi.deleteBackedUpSessions, { userId, version }),
  }),
  endpoint({
    method: 'DELETE',
    path: ofRoom,
    ...write,
    summary: 'Delete the keys of a room from a backup',
    params: roomParams,
    handle: ({ requester: { userId }, query: { version }, params }) =>
      bus.call(userapi.deleteBackedUpSessions, { userId, version, ...params }),
  }),
  endpoint({
    method: 'DELETE',
    path: one,
    ...write,
    summary: 'Delete one key of a backup',
    params: sessionParams,
    handle: ({ requester: { userId }, query: { version }, params }) =>
      bus.call(userapi.deleteBackedUpSessions, { userId, version, ...params }),
  }),
];

function storedOfRoom([roomId, { sessions }]: [string, Sessions]): BackedUpSession[] {
  return Object.entries(sessions).map(([sessionId, session]) => stored(roomId, sessionId, session));
}

function stored(roomId: string, sessionId: string, session: Session): BackedUpSession {
  return {
    roomId,
    sessionId,
    firstMessageIndex: session.first_message_index,
    forwardedCount: session.forwarded_count,
    isVerified: session.is_verified,
    sessionData: session.session_data,
  };
}

function shown(session: BackedUpSession): Session {
  return {
    first_message_index: session.firstMessageIndex,
    forwarded_count: session.forwardedCount,
    is_verified: session.isVerified,
    session_data: session.sessionData,
  };
}

function byRoom(found: readonly BackedUpSession[]): Record<string, Sessions> {
  const rooms = new Map<string, [string, Session][]>();
  for (const session of found) {
    const known = rooms.get(session.roomId) ?? [];
    known.push([session.sessionId, shown(session)]);
    rooms.set(session.roomId, known);
  }
  return Object.fromEntries([...rooms].map(([id, known]) => [id, { sessions: Object.fromEntries(known) }]));
}
