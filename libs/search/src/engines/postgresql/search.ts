import { type Kysely, type RawBuilder, sql } from 'kysely';

import type { EngineAnswer, EngineQuery, IndexRef } from '../engine.ts';
import { bounded, separated, tableOf } from './tables.ts';

interface Row {
  total: number;
  event_id: string | null;
  position: number;
  rank: number;
  headline: string;
}

/** What marks words that match; no text can hold them, as they are taken out of it first. */
const marks = { start: '\u0001', end: '\u0002' };

/**
 * One query: the hits by their words, as the index of words finds them, then those of them that are within the
 * scope. The hits are MATERIALIZED because PostgreSQL would else sometimes walk whole rooms, newest first, in
 * search of one that matches.
 */
export async function searchTable(
  db: Kysely<unknown>,
  index: IndexRef,
  query: EngineQuery,
): Promise<EngineAnswer> {
  const table = tableOf(index);
  const words = sql`plainto_tsquery(${index.language}::regconfig, ${query.words.join(' ')})`;
  const rank = query.order === 'rank' ? sql`ts_rank(d.words, ${words}, 1)` : sql`0::real`;
  const result = await sql<Row>`
    WITH scope AS MATERIALIZED (
      SELECT * FROM unnest(
        ${query.scope.map(({ roomId }) => roomId)}::text[], ${query.scope.map(({ from }) => bounded(from))}::bigint[],
        ${query.scope.map(({ to }) => bounded(to))}::bigint[]) AS scope (room_id, first, beyond)
    ), matching AS MATERIALIZED (
      SELECT d.event_id, d.room_id, d.position, ${rank} AS rank FROM ${table} d
      WHERE d.words @@ ${words} AND ${conditionsOf(query)}
    ), hits AS MATERIALIZED (
      SELECT m.event_id, m.position, m.rank FROM matching m JOIN scope s ON s.room_id = m.room_id
      WHERE m.position >= s.first AND m.position < s.beyond
    )
    SELECT all_hits.total, page.* FROM (SELECT count(*) AS total FROM hits) AS all_hits LEFT JOIN (
      SELECT h.*, ts_headline(${index.language}::regconfig, ${separated(sql`d.body`)},
        ${words}, ${`StartSel=${marks.start}, StopSel=${marks.end}, HighlightAll=true`}) AS headline
      FROM (
        SELECT * FROM hits ORDER BY rank DESC, position DESC OFFSET ${query.offset} LIMIT ${query.limit}
      ) AS h JOIN ${table} d USING (event_id)
    ) AS page ON true ORDER BY page.rank DESC, page.position DESC
  `.execute(db);
  return answerOf(result.rows);
}

function conditionsOf(query: EngineQuery): RawBuilder<unknown> {
  const { types, senders, notSenders, hasUrl, upTo } = query;
  return sql.join(
    [
      sql`d.position <= ${bounded(upTo)} AND d.type = ANY(${[...types]}::text[])`,
      ...(senders === undefined ? [] : [sql`d.sender = ANY(${[...senders]}::text[])`]),
      ...(notSenders === undefined ? [] : [sql`d.sender <> ALL(${[...notSenders]}::text[])`]),
      ...(hasUrl === undefined ? [] : [sql`d.has_url = ${hasUrl}`]),
    ],
    sql` AND `,
  );
}

function answerOf(rows: readonly Row[]): EngineAnswer {
  const marked = new RegExp(`${marks.start}([^${marks.end}]+)${marks.end}`, 'g');
  return {
    total: rows[0]?.total ?? 0,
    hits: rows.flatMap(({ event_id: eventId, position, rank, headline }) =>
      eventId === null
        ? []
        : [
            {
              eventId,
              position,
              rank,
              highlights: [...headline.matchAll(marked)].map(([, word]) => word ?? ''),
            },
          ],
    ),
  };
}
