import { type Kysely, sql } from 'kysely';

import { parsePdu } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { type ArchiveLine, archiveFormat } from './lines.ts';

type Db = Kysely<RoomserverTables>;
type Key = string | number;

/** Where an export stands: in the lines of one kind, after one of them. */
export interface ExportPlace {
  kind: ArchiveLine['kind'];
  after: Key | null;
}

export interface LinesPage {
  lines: ArchiveLine[];
  /** Undefined after the last line of the kind. */
  next: Key | undefined;
}

const pageSize = 500;

type Reader = (db: Db, roomNid: number, after: Key | null) => Promise<LinesPage>;

/** Reads a page of the lines of one kind. */
export function readLines(db: Db, roomNid: number, { kind, after }: ExportPlace): Promise<LinesPage> {
  return readers[kind](db, roomNid, after);
}

const readers: Record<ArchiveLine['kind'], Reader> = {
  room: async (db, roomNid) => {
    const room = await db
      .selectFrom('roomserver_rooms')
      .selectAll()
      .where('room_nid', '=', roomNid)
      .executeTakeFirstOrThrow();
    const { room_id, room_version, created_ts, is_listed, depth, forward_extremities } = room;
    const about = { room_id, room_version, created_ts, is_listed, depth, forward_extremities };
    return { lines: [{ kind: 'room', format: archiveFormat, ...about }], next: undefined };
  },
  event: readEvents,
  state: async (db, roomNid) => {
    const rows = await db
      .selectFrom('roomserver_current_state as s')
      .innerJoin('roomserver_events as e', 'e.position', 's.position')
      .select(['s.type', 's.state_key', 'e.event_id'])
      .where('s.room_nid', '=', roomNid)
      .orderBy('s.position')
      .execute();
    return { lines: rows.map((row) => ({ kind: 'state' as const, ...row })), next: undefined };
  },
  membership: async (db, roomNid, after) => {
    const rows = await db
      .selectFrom('roomserver_memberships as m')
      .innerJoin('roomserver_events as e', 'e.position', 'm.position')
      .select(['m.user_id', 'm.membership', 'e.event_id', 'm.is_forgotten'])
      .where('m.room_nid', '=', roomNid)
      .where('m.user_id', '>', String(after ?? ''))
      .orderBy('m.user_id')
      .limit(pageSize)
      .execute();
    const next = rows.length < pageSize ? undefined : rows.at(-1)?.user_id;
    return { lines: rows.map((row) => ({ kind: 'membership' as const, ...row })), next };
  },
  alias: async (db, roomNid) => {
    const rows = await db
      .selectFrom('roomserver_aliases')
      .select(['alias', 'creator', 'created_ts'])
      .where('room_nid', '=', roomNid)
      .orderBy('alias')
      .execute();
    return { lines: rows.map((row) => ({ kind: 'alias' as const, ...row })), next: undefined };
  },
  end: () => Promise.resolve({ lines: [], next: undefined }),
};

interface EventRow {
  position: number;
  event_id: string;
  json: string;
  replaces: string | null;
  redacted_by: string | null;
}

async function readEvents(db: Db, roomNid: number, after: Key | null): Promise<LinesPage> {
  const result = await sql<EventRow>`
    SELECT e.position, e.event_id, e.json, previous.event_id AS replaces, redaction.event_id AS redacted_by
    FROM roomserver_events e
    LEFT JOIN roomserver_events previous ON previous.position = e.replaces
    LEFT JOIN roomserver_events redaction ON redaction.position = e.redacted_by
    WHERE e.room_nid = ${roomNid} AND e.position > ${after ?? 0} ORDER BY e.position LIMIT ${pageSize}
  `.execute(db);
  const lines = result.rows.map(({ event_id, json, replaces, redacted_by }): ArchiveLine => {
    return {
      kind: 'event',
      event_id,
      json,
      ...(replaces === null ? {} : { replaces }),
      ...(redacted_by === null ? {} : { redacted_by }),
      ...(parsePdu(json) === undefined ? { damaged: true } : {}),
    };
  });
  return { lines, next: result.rows.length < pageSize ? undefined : result.rows.at(-1)?.position };
}
