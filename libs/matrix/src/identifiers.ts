import { Buffer } from 'node:buffer';
import { invalidParam } from './errors.ts';

const MAX_BYTES = 255;
const SERVER_NAME = /^(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::([0-9]{1,5}))?$/;
const USER_LOCALPART = /^[a-z0-9._=/+-]+$/;
const COMPLIANT_LOCALPART = /^[\x21-\x7e]+$/;
const HASH = /^[A-Za-z0-9_-]{43}$/;
const NUL_OR_LONE_SURROGATE = /\0|\p{Surrogate}/u;
const EVENT_OPAQUE = /^[\x21-\x39\x3b-\x7e]+$/;

export interface ServerName {
  readonly host: string;
  readonly port?: number;
}

export interface UserId {
  readonly localpart: string;
  readonly serverName: string;
}

/** Appendices, "Server Name": DNS name, IPv4 or [IPv6], and an optional port. Throws M_INVALID_PARAM. */
export function parseServerName(text: string): ServerName {
  const match = SERVER_NAME.exec(text);
  const host = match?.[1];
  if (host === undefined || text.length > MAX_BYTES) throw invalidParam('Not a valid server name');
  const port = match?.[2];
  return port === undefined ? { host } : { host, port: Number(port) };
}

/**
 * Appendices, "User Identifiers" with "Historical User IDs": any localpart without ':', NUL and lone surrogates is
 * accepted, as events may carry it; for names given by clients see isCompliantUserId and isUserLocalpart.
 */
export function parseUserId(text: string): UserId {
  const parts = splitLocalpart(text, '@');
  if (parts === undefined) throw invalidParam('Not a valid user ID');
  return parts;
}

/** Room alias with a localpart that is not empty. Throws M_INVALID_PARAM. */
export function parseRoomAlias(text: string): UserId {
  const parts = splitLocalpart(text, '#');
  if (parts === undefined || parts.localpart === '') throw invalidParam('Not a valid room alias');
  return parts;
}

export interface RoomId {
  readonly opaque: string;
  /** Absent from room version 12: the opaque part then is the hash of the create event. */
  readonly serverName?: string;
}

/** Appendices, "Room IDs", with and without a domain. Throws M_INVALID_PARAM. */
export function parseRoomId(text: string): RoomId {
  if (text.startsWith('!') && HASH.test(text.slice(1))) return { opaque: text.slice(1) };
  const parts = splitLocalpart(text, '!');
  if (parts === undefined || parts.localpart === '') throw invalidParam('Not a valid room ID');
  return { opaque: parts.localpart, serverName: parts.serverName };
}

export interface EventId {
  readonly opaque: string;
  /** Only in room versions 1 and 2. */
  readonly serverName?: string;
}

/** Appendices, "Event IDs": any visible ASCII after '$', with a domain or without. Throws M_INVALID_PARAM. */
export function parseEventId(text: string): EventId {
  if (text.startsWith('$') && text.length <= MAX_BYTES && EVENT_OPAQUE.test(text.slice(1))) {
    return { opaque: text.slice(1) };
  }
  const parts = splitLocalpart(text, '$');
  if (parts === undefined || !EVENT_OPAQUE.test(parts.localpart)) throw invalidParam('Not a valid event ID');
  return { opaque: parts.localpart, serverName: parts.serverName };
}

export function isServerName(text: string): boolean {
  return SERVER_NAME.test(text) && text.length <= MAX_BYTES;
}

export function isUserId(text: string): boolean {
  return splitLocalpart(text, '@') !== undefined;
}

export function isRoomAlias(text: string): boolean {
  return accepts(parseRoomAlias, text);
}

export function isRoomId(text: string): boolean {
  return accepts(parseRoomId, text);
}

export function isEventId(text: string): boolean {
  return accepts(parseEventId, text);
}

/** A user ID that may be shown outside an event: visible ASCII and a localpart that is not empty. */
export function isCompliantUserId(text: string): boolean {
  const parts = splitLocalpart(text, '@');
  return parts !== undefined && COMPLIANT_LOCALPART.test(parts.localpart);
}

/** The characters allowed in the localpart of a new account; the caller checks the length of the whole ID. */
export function isUserLocalpart(text: string): boolean {
  return USER_LOCALPART.test(text);
}

/** The server name in a user ID, alias, room ID or event ID; undefined where there is none. */
export function serverNameOf(id: string): string | undefined {
  const colon = id.indexOf(':');
  if (colon === -1) return undefined;
  const serverName = id.slice(colon + 1);
  return isServerName(serverName) ? serverName : undefined;
}

/** `@localpart:server`; throws M_INVALID_PARAM when the result is no valid user ID. */
export function makeUserId(localpart: string, serverName: string): string {
  const userId = `@${localpart}:${serverName}`;
  if (localpart.includes(':') || !isUserId(userId)) throw invalidParam('Not a valid user ID');
  return userId;
}

/** Whether a string is at most 255 bytes of UTF-8, the limit of identifiers, state keys and event types. */
export function fitsIdentifier(text: string): boolean {
  return text.length * 3 <= MAX_BYTES || Buffer.byteLength(text, 'utf8') <= MAX_BYTES;
}

function splitLocalpart(text: string, sigil: string): UserId | undefined {
  if (!text.startsWith(sigil) || !fitsIdentifier(text)) return undefined;
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const localpart = text.slice(1, colon);
  const serverName = text.slice(colon + 1);
  if (!isServerName(serverName) || NUL_OR_LONE_SURROGATE.test(localpart)) return undefined;
  return { localpart, serverName };
}

function accepts(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
