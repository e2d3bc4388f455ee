import { transact } from '@seneschal/database';
import type { Kysely } from 'kysely';

import {
  acknowledgeAnswer,
  type ConnectionName,
  type ConnectionRow,
  insertAnswer,
  insertConnection,
  lockConnection,
  selectToldRooms,
  touchConnection,
} from '../storage/connections.ts';
import type { SyncapiTables } from '../storage/tables.ts';
import type { SyncPosition } from '../tokens.ts';
import type { BuiltSliding } from './build-sliding.ts';
import { type Pos, posOf, unknownPos } from './pos.ts';
import { configOf, type StateConfig } from './selectors.ts';
import type { Known } from './sliding-query.ts';

/** A connection where the client stands. */
export interface OpenConnection extends Known {
  connectionId: number;
  seq: number;
}

/** So many answers are remembered that the client may not have got. */
const mostAnswers = 20;
/** Of different configurations of state; a client that has asked for more begins anew. */
const mostConfigs = 100;
/** How seldom is written that a connection is in use, in ms. */
const touchMs = 3_600_000;

/**
 * Where a client comes back with an answer: that one is acknowledged, and all before it are forgotten. Throws
 * M_UNKNOWN_POS when the connection is not the device's, is gone, or has moved on.
 */
export async function resume(
  db: Kysely<SyncapiTables>,
  owner: ConnectionName,
  { connectionId, seq }: Pos,
): Promise<OpenConnection> {
  return transact(db, async (trx) => {
    const row = await lockConnection(trx, connectionId, owner);
    if (row?.connId !== owner.connId || !isIssued(row, seq)) throw unknownPos();
    if (seq > row.acked) await acknowledgeAnswer(trx, row, seq);
    else if (row.usedTs < Date.now() - touchMs) await touchConnection(trx, connectionId);
    const rooms = await selectToldRooms(trx, connectionId, seq);
    const configs = row.configs.map((text): StateConfig => configOf(text));
    return { connectionId, seq, configs, rooms: new Map(rooms.map((room) => [room.roomId, room])) };
  });
}

function isIssued({ acked, issued }: ConnectionRow, seq: number): boolean {
  return seq === acked || (seq > acked && seq > issued - mostAnswers && seq <= issued);
}

/**
 * Notes what an answer tells, and makes its `pos`. Nothing is written where the client knows it all. Throws
 * M_UNKNOWN_POS when the client has gone on with another answer meanwhile, or asked for too much that is different.
 */
export async function conclude(
  db: Kysely<SyncapiTables>,
  owner: ConnectionName,
  open: OpenConnection | undefined,
  built: Pick<BuiltSliding, 'rooms' | 'configs'>,
  position: SyncPosition,
): Promise<string> {
  const { rooms, configs } = built;
  if (configs.length > mostConfigs) throw unknownPos();
  if (open !== undefined && rooms.length === 0) return posOf({ ...open, position });
  return transact(db, async (trx) => {
    if (open === undefined) {
      const connectionId = await insertConnection(trx, owner, configs);
      await insertAnswer(trx, { connectionId, seq: 1, oldest: 1, acked: 0, configs }, rooms);
      return posOf({ connectionId, seq: 1, position });
    }
    const { connectionId } = open;
    const row = await lockConnection(trx, connectionId, owner);
    if (row?.acked !== open.seq) throw unknownPos();
    const seq = row.issued + 1;
    const oldest = seq - mostAnswers + 1;
    const merged = mergeConfigs(row.configs, built);
    await insertAnswer(
      trx,
      { connectionId, seq, oldest, acked: row.acked, configs: merged.configs },
      merged.rooms,
    );
    return posOf({ connectionId, seq, position });
  });
}

/** Another answer to the same request may have added configurations: the places of those stay what they are. */
function mergeConfigs(
  kept: readonly string[],
  { rooms, configs }: Pick<BuiltSliding, 'rooms' | 'configs'>,
): Pick<BuiltSliding, 'rooms' | 'configs'> {
  const all = [...new Set([...kept, ...configs])];
  return {
    configs: all,
    rooms: rooms.map((room) => ({ ...room, config: all.indexOf(configs[room.config] ?? '') })),
  };
}
