import { sql, type Kysely } from 'kysely';

import { type TestDatabase, withDatabase } from '@seneschal/testing';
import { createLogger } from '@seneschal/observability';
import type { JsonObject, Pdu } from '@seneschal/matrix';

import { changeMembership } from '../src/commands/change-membership.ts';
import { createRoom } from '../src/commands/create-room.ts';
import { evacuateRoom } from '../src/commands/evacuate-room.ts';
import { evacuateUser } from '../src/commands/evacuate-user.ts';
import { sendEvent } from '../src/commands/send-event.ts';
import { RoomWriter } from '../src/room/room-writer.ts';
import { roomserverMigrations } from '../src/storage/migrations/index.ts';
import type { RoomserverTables } from '../src/storage/tables.ts';
import { signer } from './fixtures.ts';

type CreateInput = Parameters<typeof createRoom>[1];
type MembershipInput = Parameters<typeof changeMembership>[1];

export const alice = '@alice:localhost';
export const admin = '@admin:localhost';

/** What a command that ran once knows of its repetitions: nothing. */
export const once = {
  remember: () => Promise.resolve(),
  parts: () => Promise.resolve([] as unknown[]),
  partStatement: () => sql`SELECT`,
};

/** The room server's commands on a database of their own, without the queue. */
export class Rooms {
  readonly #database: TestDatabase;
  readonly db: Kysely<RoomserverTables>;
  readonly woken: number[] = [];
  readonly deps;

  private constructor(database: TestDatabase) {
    this.#database = database;
    this.db = database.tables<RoomserverTables>();
    this.deps = this.process();
  }

  static async open(): Promise<Rooms> {
    return new Rooms(await withDatabase({ roomserver: roomserverMigrations }));
  }

  /** What one process has: a second one shares nothing with the first but the database. */
  process() {
    const bus = {
      wake: (_log: unknown, position: number) => void this.woken.push(position),
      call: () => Promise.reject(new Error('These tests have no other components.')),
    };
    return {
      db: this.db,
      bus,
      signer,
      logger: createLogger('silent'),
      userapi: { invitesBlockedBy: async () => new Set<string>() },
      serverName: 'localhost',
      defaultRoomVersion: '12',
      writer: new RoomWriter(this.db, signer, bus),
    };
  }

  async create(options: Partial<CreateInput> = {}): Promise<string> {
    const input: CreateInput = {
      creator: alice,
      profile: {},
      preset: 'public_chat',
      listed: false,
      isDirect: false,
      invite: [],
      initialState: [],
      creationContent: {},
      ...options,
    };
    return (await createRoom(this.deps, input, once)).roomId;
  }

  change(roomId: string, action: MembershipInput['action'], sender: string, target = sender, more = {}) {
    return changeMembership(this.deps, { roomId, action, sender, target, ...more });
  }

  /** Makes `count` users join: `@u000:localhost` and on. */
  async joinMany(roomId: string, count: number): Promise<string[]> {
    const users = Array.from(
      { length: count },
      (_, index) => `@u${String(index).padStart(3, '0')}:localhost`,
    );
    await Promise.all(
      users.map((user) => this.change(roomId, 'join', user, user, { profile: { displayname: user } })),
    );
    return users;
  }

  send(roomId: string, sender: string, type: string, content: JsonObject, more = {}) {
    return sendEvent(this.deps, { roomId, sender, type, content, ...more });
  }

  evacuate(roomId: string, options: { dryRun?: boolean; block?: boolean } = {}) {
    return evacuateRoom(
      this.deps,
      { roomId, requestedBy: admin, dryRun: false, block: false, ...options },
      once,
    );
  }

  evacuateUser(userId: string, dryRun = false) {
    return evacuateUser(this.deps, { userId, requestedBy: admin, dryRun }, once);
  }

  room(roomId: string) {
    return this.db
      .selectFrom('roomserver_rooms')
      .selectAll()
      .where('room_id', '=', roomId)
      .executeTakeFirstOrThrow();
  }

  async events(roomId: string): Promise<{ event_id: string; position: number; pdu: Pdu }[]> {
    const { room_nid: roomNid } = await this.room(roomId);
    const rows = await this.db
      .selectFrom('roomserver_events')
      .select(['event_id', 'position', 'json'])
      .where('room_nid', '=', roomNid)
      .orderBy('position')
      .execute();
    return rows.map(({ json, ...row }) => ({ ...row, pdu: JSON.parse(json) as Pdu }));
  }

  /** Membership of each user who ever was anything in the room. */
  async memberships(roomId: string): Promise<Record<string, string>> {
    const { room_nid: roomNid } = await this.room(roomId);
    const rows = await this.db
      .selectFrom('roomserver_memberships')
      .select(['user_id', 'membership'])
      .where('room_nid', '=', roomNid)
      .execute();
    return Object.fromEntries(rows.map((row) => [row.user_id, row.membership]));
  }

  /** Damages what is stored for the membership of a user. */
  async damage(roomId: string, userId: string, change: (json: string) => string): Promise<void> {
    const { room_nid: roomNid } = await this.room(roomId);
    const event = await this.db
      .selectFrom('roomserver_memberships as m')
      .innerJoin('roomserver_events as e', 'e.position', 'm.position')
      .select(['e.position', 'e.json'])
      .where('m.room_nid', '=', roomNid)
      .where('m.user_id', '=', userId)
      .executeTakeFirstOrThrow();
    await this.db
      .updateTable('roomserver_events')
      .set({ json: change(event.json) })
      .where('position', '=', event.position)
      .execute();
  }

  /** Adds events to a room without the work that sending them takes. */
  async fill(roomNid: number, count: number): Promise<void> {
    await sql`
      WITH new AS MATERIALIZED (
        SELECT nextval('roomserver_output_position') AS position FROM generate_series(1, ${count}::int)
      ), facts AS (
        INSERT INTO roomserver_output (position, fact, created_ts)
        SELECT position, jsonb_build_object('kind', 'events_stored', 'roomId', room_id, 'first', position,
          'count', 1, 'memberships', '[]'::jsonb), 0
        FROM new, roomserver_rooms WHERE room_nid = ${roomNid}
      )
      INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
      SELECT position, ${roomNid}, '$filled' || position, 'm.room.message', ${alice}::text,
        '{"content":{},"sender":"@alice:localhost","type":"m.room.message"}'
      FROM new
    `.execute(this.db);
  }

  stop(): Promise<void> {
    return this.#database.stop();
  }
}
