import {
  badJson,
  checkContentHash,
  eventIdOf,
  fitsIdentifier,
  isJsonObject,
  isRoomAlias,
  isRoomId,
  isUserId,
  MAX_EVENT_BYTES,
  parseJson,
  type Pdu,
  roomVersion,
  type RoomVersion,
  serverNameOf,
  type Signer,
  verifyEvent,
} from '@seneschal/matrix';

import type { ForeignEvent } from './foreign-signatures.ts';
import { archiveLine, type ArchiveLine, lineOrder, type LineOf } from './lines.ts';

/** Of an archive the part that has been read: what is needed to judge the next line. */
export interface ArchiveSummary {
  room: LineOf<'room'>;
  lines: Record<string, number>;
  isWhole: boolean;
  /** Events that are not taken over, as they were damaged when they were exported. */
  damaged: number;
  counts: ArchiveCounts;
}

/** What an import would store. */
export interface ArchiveCounts {
  events: number;
  state: number;
  /** Local users who are joined, invited or knocking. */
  users: number;
  aliases: number;
  /** Other servers with joined members. */
  remote_servers: number;
  /** Of the texts of the events. */
  bytes: number;
}

const inside: ReadonlySet<string> = new Set(['join', 'invite', 'knock']);

/** What is wrong with a line; the message says in which. */
export function wrong(number: number, what: string): Error {
  return badJson(`Line ${number} of the export ${what}.`);
}

/**
 * Checks an archive line by line: the order of the lines, and of each one that it is what it says — an event by
 * its ID, its hash and, when it is of this server, its signature. Throws M_BAD_JSON with the number of the line.
 * Events of other servers are handed on to who knows their keys.
 */
export class ArchiveChecker {
  readonly #signer: Signer;
  readonly #lines: Record<string, number> = {};
  #number = 0;
  #place = 0;
  #room: LineOf<'room'> | undefined;
  #version: RoomVersion | undefined;
  #damaged = 0;
  #isWhole = false;
  #bytes = 0;
  #users = 0;
  readonly #remoteServers = new Set<string>();
  #foreign: ForeignEvent[] = [];

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  /** Lines checked so far. */
  get number(): number {
    return this.#number;
  }

  /** Events of other servers that were checked since it was last asked. */
  takeForeign(): ForeignEvent[] {
    const taken = this.#foreign;
    this.#foreign = [];
    return taken;
  }

  /** The line, with the event that it holds. `event` is undefined when its text is damaged. */
  check(text: string): { line: ArchiveLine; event?: Pdu | undefined } {
    this.#number += 1;
    const line = this.#parse(text);
    this.#keepOrder(line);
    this.#lines[line.kind] = (this.#lines[line.kind] ?? 0) + 1;
    switch (line.kind) {
      case 'room':
        this.#openRoom(line);
        return { line };
      case 'event':
        return { line, event: this.#event(line) };
      case 'membership':
        this.#member(line);
        return { line };
      case 'alias':
        this.#alias(line);
        return { line };
      case 'end':
        this.#end(line);
        return { line };
      case 'state':
        return { line };
    }
  }

  /** Throws M_BAD_JSON when the archive is not whole. */
  summary(): ArchiveSummary {
    if (this.#room === undefined || !this.#isWhole)
      throw badJson('The export is not whole: its end is missing.');
    const counts: ArchiveCounts = {
      events: (this.#lines['event'] ?? 0) - this.#damaged,
      state: this.#lines['state'] ?? 0,
      users: this.#users,
      aliases: this.#lines['alias'] ?? 0,
      remote_servers: this.#remoteServers.size,
      bytes: this.#bytes,
    };
    return { room: this.#room, lines: this.#lines, isWhole: this.#isWhole, damaged: this.#damaged, counts };
  }

  #parse(text: string): ArchiveLine {
    try {
      return archiveLine.parse(JSON.parse(text));
    } catch {
      throw this.#wrong('is not a line of an export');
    }
  }

  #keepOrder(line: ArchiveLine): void {
    const place = lineOrder.indexOf(line.kind);
    const isFirst = this.#number === 1;
    if (isFirst !== (line.kind === 'room') || place < this.#place || this.#isWhole) {
      throw this.#wrong('stands in the wrong place');
    }
    this.#place = place;
  }

  #openRoom(line: LineOf<'room'>): void {
    if (!isRoomId(line.room_id)) throw this.#wrong('has no room ID');
    this.#room = line;
    this.#version = knownVersion(line.room_version);
    if (this.#version === undefined) throw this.#wrong('has a room version that this server does not know');
  }

  /** Undefined for what was damaged already when it was exported; everything else has to be what its ID says. */
  #event(line: LineOf<'event'>): Pdu | undefined {
    const { room, version } = this.#opened();
    const pdu = parsePdu(line.json);
    if (pdu === undefined) {
      if (line.damaged !== true) throw this.#wrong('has an event that cannot be read');
      this.#damaged += 1;
      return undefined;
    }
    if (!isWithinBounds(pdu, line.json)) throw this.#wrong('has an event that is none, or too large');
    if (idOf(pdu, version) !== line.event_id) throw this.#wrong('has an event that is not the one of its ID');
    const isCreate = pdu.type === 'm.room.create' && pdu.room_id === undefined && version.roomIdIsCreateHash;
    const roomId = isCreate ? `!${line.event_id.slice(1)}` : pdu.room_id;
    if (roomId !== room.room_id) throw this.#wrong('has an event of another room');
    if (line.redacted_by === undefined && !checkContentHash(pdu, version)) {
      throw this.#wrong('has an event that was changed');
    }
    const { serverName, key } = this.#signer;
    const isOwn = serverNameOf(pdu.sender) === serverName;
    if (isOwn && !verifyEvent(pdu, version, serverName, key.publicKey)) {
      throw this.#wrong('has an event of this server without its signature');
    }
    if (!isOwn) this.#foreign.push({ number: this.#number, pdu, version });
    this.#bytes += Buffer.byteLength(line.json);
    return pdu;
  }

  #member(line: LineOf<'membership'>): void {
    if (!isUserId(line.user_id)) throw this.#wrong('names something that is no user');
    const serverName = serverNameOf(line.user_id) ?? '';
    if (serverName !== this.#signer.serverName) {
      if (line.membership === 'join') this.#remoteServers.add(serverName);
    } else if (inside.has(line.membership)) this.#users += 1;
  }

  #alias(line: LineOf<'alias'>): void {
    if (!isRoomAlias(line.alias) || serverNameOf(line.alias) !== this.#signer.serverName) {
      throw this.#wrong('has an alias that is not of this server');
    }
  }

  #end(line: LineOf<'end'>): void {
    for (const kind of lineOrder) {
      if ((line.lines[kind] ?? 0) !== (this.#lines[kind] ?? 0))
        throw this.#wrong('counts other lines than there are');
    }
    this.#isWhole = true;
  }

  #opened(): { room: LineOf<'room'>; version: RoomVersion } {
    if (this.#room === undefined || this.#version === undefined) throw this.#wrong('comes before the room');
    return { room: this.#room, version: this.#version };
  }

  #wrong(what: string): Error {
    return wrong(this.#number, what);
  }
}

function knownVersion(id: string): RoomVersion | undefined {
  try {
    return roomVersion(id);
  } catch {
    return undefined;
  }
}

/** What the columns of the events take, and what no event may exceed. */
function isWithinBounds(pdu: Pdu, json: string): boolean {
  const { type, sender, state_key: stateKey = '' } = pdu as unknown as Record<string, unknown>;
  const texts = [type, sender, stateKey];
  return (
    texts.every((text) => typeof text === 'string' && fitsIdentifier(text)) &&
    isUserId(String(sender)) &&
    Buffer.byteLength(json) <= MAX_EVENT_BYTES
  );
}

function parsePdu(json: string): Pdu | undefined {
  try {
    const value = parseJson(json);
    return isJsonObject(value) && isJsonObject(value['content']) ? (value as unknown as Pdu) : undefined;
  } catch {
    return undefined;
  }
}

function idOf(pdu: Pdu, version: RoomVersion): string | undefined {
  try {
    return eventIdOf(pdu, version);
  } catch {
    return undefined;
  }
}
