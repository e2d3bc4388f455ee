import type { Receipt, SlidingRoomExtension } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import { keyChanges } from '../queries/key-changes.ts';
import { receiptContents } from '../sync/ephemeral.ts';
import { parseToDeviceToken } from './pos.ts';
import type { SlidingQuery, SlidingReads, Telling, Wanted } from './sliding-query.ts';

const mostMessages = 100;

/** What the extensions look at. */
export interface ExtensionScope {
  /** Rooms that the user is joined to and the client knows from before. */
  knownRooms: ReadonlySet<string>;
  wanted: ReadonlyMap<string, Wanted>;
  tellings: readonly Telling[];
  /** Receipts in the known rooms since the last answer. */
  receipts: readonly Receipt[];
  /** Events of the timelines that are told, by room. */
  eventIds: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface Extensions {
  answer: JsonObject;
  /** Whether there is nothing in it that a client would want to be woken for. */
  isEmpty: boolean;
}

/** The part `extensions` of the answer: what is told beside rooms. */
export async function readExtensions(
  reads: SlidingReads,
  query: SlidingQuery,
  scope: ExtensionScope,
): Promise<Extensions> {
  const parts = await Promise.all([
    toDevice(reads, query),
    e2ee(reads, query),
    accountData(reads, query, scope),
    receipts(reads, query, scope),
    typing(reads, query, scope),
  ]);
  const answer: JsonObject = {};
  for (const part of parts) Object.assign(answer, part.answer);
  return { answer, isEmpty: parts.every(({ isEmpty }) => isEmpty) };
}

const nothing: Extensions = { answer: {}, isEmpty: true };

async function toDevice({ userapi }: SlidingReads, query: SlidingQuery): Promise<Extensions> {
  const { body, userId, deviceId, until } = query;
  const asked = body.extensions.to_device;
  if (asked?.enabled !== true) return nothing;
  const after = typeof asked.since === 'string' ? parseToDeviceToken(asked.since) : 0;
  const limit = Math.min(Math.max(asked.limit ?? mostMessages, 1), mostMessages);
  const upTo = Math.max(after, until.userapi);
  const found = await userapi.toDevice({ userId, deviceId }, { after, upTo, limit });
  const events = found.messages.map(({ position: _, ...message }) => message);
  return {
    answer: { to_device: { next_batch: `d${found.upTo}`, events } },
    isEmpty: events.length === 0,
  };
}

async function e2ee(reads: SlidingReads, query: SlidingQuery): Promise<Extensions> {
  const { body, userId, deviceId, since, until } = query;
  if (body.extensions.e2ee?.enabled !== true) return nothing;
  const [keys, lists] = await Promise.all([
    reads.userapi.keyCounts(userId, deviceId),
    since === null ? undefined : keyChanges(reads, userId, since, until),
  ]);
  const part = {
    device_one_time_keys_count: { signed_curve25519: 0, ...keys.oneTimeKeys },
    device_unused_fallback_key_types: keys.unusedFallbackKeyTypes,
    ...(lists === undefined ? {} : { device_lists: { changed: lists.changed, left: lists.left } }),
  };
  const changes = (lists?.changed.length ?? 0) + (lists?.left.length ?? 0);
  return { answer: { e2ee: part }, isEmpty: changes === 0 };
}

/** Rooms of an extension: those that are told or known, unless the client names lists or rooms. */
function scopeOf(
  extension: SlidingRoomExtension,
  { wanted, knownRooms, tellings }: ExtensionScope,
): (roomId: string) => boolean {
  const { lists, rooms } = extension;
  const told = new Set(tellings.map(({ room }) => room.roomId));
  const isWhole = (names: readonly string[] | null | undefined): boolean => names?.includes('*') !== false;
  return (roomId) => {
    if (!knownRooms.has(roomId) && !told.has(roomId)) return false;
    if (isWhole(lists) && isWhole(rooms)) return true;
    const inLists = wanted.get(roomId)?.lists ?? [];
    // A room is subscribed to, or there by lists.
    const bySubscription = rooms?.includes(roomId) ?? (inLists.length === 0 && wanted.has(roomId));
    const byList = isWhole(lists) ? inLists.length > 0 : inLists.some((name) => lists?.includes(name));
    return bySubscription || byList;
  };
}

function initialRooms(tellings: readonly Telling[]): Set<string> {
  const initial = tellings.filter(({ isInitial, room }) => isInitial && room.membership === 'join');
  return new Set(initial.map(({ room }) => room.roomId));
}

/** All that there is of rooms that are new to the client, and what changed elsewhere. */
async function accountData(
  { userapi }: SlidingReads,
  { body, userId, since, until }: SlidingQuery,
  scope: ExtensionScope,
): Promise<Extensions> {
  const asked = body.extensions.account_data;
  if (asked?.enabled !== true) return nothing;
  const isWanted = scopeOf(asked, scope);
  const fresh = initialRooms(scope.tellings);
  const [changed, all] = await Promise.all([
    since === null ? [] : userapi.accountDataBetween(userId, since.userapi, until.userapi),
    since === null || fresh.size > 0 ? userapi.accountDataBetween(userId, null, until.userapi) : [],
  ]);
  const isFresh = (roomId: string | null): boolean => roomId !== null && fresh.has(roomId);
  const told = [
    ...changed.filter(({ roomId }) => !isFresh(roomId)),
    ...all.filter(({ roomId }) => (roomId === null ? since === null : isFresh(roomId))),
  ];
  const global: JsonObject[] = [];
  const rooms: Record<string, JsonObject[]> = {};
  for (const { roomId, type, content } of told) {
    if (roomId === null) global.push({ type, content });
    else if (isWanted(roomId)) (rooms[roomId] ??= []).push({ type, content });
  }
  const isEmpty = global.length === 0 && Object.keys(rooms).length === 0;
  return isEmpty ? nothing : { answer: { account_data: { global, rooms } }, isEmpty };
}

/** Of rooms that are new to the client, those of the events that are told, and the user's own. */
async function receipts(
  { userapi }: SlidingReads,
  { body, userId, until }: SlidingQuery,
  scope: ExtensionScope,
): Promise<Extensions> {
  const asked = body.extensions.receipts;
  if (asked?.enabled !== true) return nothing;
  const isWanted = scopeOf(asked, scope);
  const fresh = initialRooms(scope.tellings);
  const ofFresh = await userapi.receipts(
    userId,
    [...fresh].filter(isWanted).map((roomId) => ({ roomId, from: 0 })),
    until.userapi,
  );
  const shown = ofFresh.filter(
    (receipt) => receipt.userId === userId || scope.eventIds.get(receipt.roomId)?.has(receipt.eventId),
  );
  const changed = scope.receipts.filter(({ roomId }) => !fresh.has(roomId) && isWanted(roomId));
  const contents = receiptContents([...shown, ...changed]);
  if (contents.size === 0) return nothing;
  const rooms = Object.fromEntries(
    [...contents].map(([roomId, content]) => [roomId, { type: 'm.receipt', content }]),
  );
  return { answer: { receipts: { rooms } }, isEmpty: changed.length === 0 && shown.length === 0 };
}

async function typing(
  reads: SlidingReads,
  { body, userId, since, until }: SlidingQuery,
  scope: ExtensionScope,
): Promise<Extensions> {
  const asked = body.extensions.typing;
  if (asked?.enabled !== true) return nothing;
  const isWanted = scopeOf(asked, scope);
  const fresh = initialRooms(scope.tellings);
  const from = since === null ? null : (since.typing ?? 0);
  const at = until.typing ?? 0;
  const [changed, busy] = await Promise.all([
    reads.typing.changedRooms(from, at),
    fresh.size === 0 || from === null ? [] : reads.typing.changedRooms(null, at),
  ]);
  const looked = [...changed, ...busy.filter((roomId) => fresh.has(roomId))].filter(isWanted);
  const typists = await reads.typing.typists([...new Set(looked)], at);
  const ignored = new Set(typists.size === 0 ? [] : await reads.userapi.ignoredUsers(userId));
  const rooms: JsonObject = {};
  for (const [roomId, all] of typists) {
    const userIds = all.filter((typist) => !ignored.has(typist));
    const isNews = userIds.length > 0 || !fresh.has(roomId);
    if (isNews) rooms[roomId] = { type: 'm.typing', content: { user_ids: userIds } };
  }
  const isEmpty = Object.keys(rooms).length === 0;
  return isEmpty ? nothing : { answer: { typing: { rooms } }, isEmpty };
}
