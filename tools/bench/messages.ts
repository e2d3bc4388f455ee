import { randomBytes } from 'node:crypto';

import pg from 'pg';

import type { SearchDocument } from '@seneschal/search';

import { sentences } from '../demo/world.ts';

/** Messages of real English, written into the event log as the room server would have, but at once. */
export class MessageLog {
  readonly #database: pg.Client;
  readonly #lines = sentences();
  #seed = 1;

  private constructor(database: pg.Client) {
    this.#database = database;
  }

  static async open(url: string): Promise<MessageLog> {
    const database = new pg.Client(url);
    await database.connect();
    return new MessageLog(database);
  }

  /** Writes `count` messages into some rooms, most of them into few; answers what is to be found of them. */
  async write(rooms: readonly string[], sender: string, count: number): Promise<SearchDocument[]> {
    const documents: SearchDocument[] = [];
    for (let written = 0; written < count;) {
      const size = Math.min(5000, count - written);
      const first = await this.#reserve(size);
      const batch = Array.from({ length: size }, (_, index): SearchDocument => {
        const roomId = rooms[Math.floor(rooms.length * this.#random() ** 2)] ?? '';
        const line = this.#lines[Math.floor(this.#lines.length * this.#random())] ?? '';
        return {
          eventId: `$${randomBytes(32).toString('base64url')}`,
          roomId,
          sender,
          type: 'm.room.message',
          position: first + index,
          hasUrl: false,
          text: line,
        };
      });
      await this.#insert(batch);
      documents.push(...batch);
      written += size;
    }
    return documents;
  }

  /** Words that occur, of different frequency. */
  words(count: number): string[] {
    const all = this.#lines.flatMap((line) => line.match(/[a-z]{5,}/g) ?? []);
    return Array.from({ length: count }, () => all[Math.floor(all.length * this.#random())] ?? 'whale');
  }

  close(): Promise<void> {
    return this.#database.end();
  }

  async #reserve(count: number): Promise<number> {
    const found = await this.#database.query<{ first: string }>(
      `SELECT min(position)::text AS first FROM (
        SELECT nextval('roomserver_output_position') AS position FROM generate_series(1, $1)) AS new`,
      [count],
    );
    return Number(found.rows[0]?.first);
  }

  async #insert(batch: readonly SearchDocument[]): Promise<void> {
    await this.#database.query(
      `INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
       SELECT position, room_nid, event_id, 'm.room.message', sender, json
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
         AS new (position, room_id, event_id, sender, json) JOIN roomserver_rooms USING (room_id)`,
      [
        batch.map((one) => one.position),
        batch.map((one) => one.roomId),
        batch.map((one) => one.eventId),
        batch.map((one) => one.sender),
        batch.map(pduOf),
      ],
    );
  }

  /** The same numbers in each run. */
  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }
}

function pduOf({ eventId, roomId, sender, position, text }: SearchDocument): string {
  return JSON.stringify({
    auth_events: [eventId, eventId, eventId],
    content: { body: text, msgtype: 'm.text' },
    depth: position,
    hashes: { sha256: eventId.slice(1) },
    origin_server_ts: 1_700_000_000_000 + position,
    prev_events: [eventId],
    room_id: roomId,
    sender,
    signatures: { localhost: { 'ed25519:1': `${eventId}${eventId}`.slice(0, 86) } },
    type: 'm.room.message',
  });
}
