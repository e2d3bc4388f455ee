import type { Receipt } from '@seneschal/contracts';

import { ignoredUsers } from './ignored-users.ts';
import { roomsWithReceipts, selectPublicReceipts, selectReceipts } from '../storage/receipts.ts';
import type { UserapiDb } from '../storage/tables.ts';

/** More rooms than this are asked for one by one. */
const mostRooms = 200;

/** Rooms in which receipts came in (from, to]; undefined when there are too many to tell. */
export async function receiptRooms(db: UserapiDb, from: number, to: number): Promise<string[] | undefined> {
  return from >= to ? [] : roomsWithReceipts(db, { from, to, limit: mostRooms });
}

/** Receipts of rooms from a position each up to `to`, as far as the user may see them and does not ignore who read. */
export async function receipts(
  db: UserapiDb,
  userId: string,
  rooms: readonly { roomId: string; from: number }[],
  to: number,
): Promise<Receipt[]> {
  const asked = rooms.filter(({ from }) => from < to);
  if (asked.length === 0) return [];
  return selectReceipts(db, { userId, ignored: await ignoredUsers(db, userId) }, asked, to);
}

/** Public receipts that were set at positions, and not moved on since. */
export async function publicReceipts(db: UserapiDb, positions: readonly number[]): Promise<Receipt[]> {
  return positions.length === 0 ? [] : selectPublicReceipts(db, positions);
}
