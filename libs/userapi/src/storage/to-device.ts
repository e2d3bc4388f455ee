import { type Kysely, sql } from 'kysely';

import type { ToDeviceMessage } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

export interface DeviceRef {
  userId: string;
  deviceId: string;
}

/** The devices of users, kept from being deleted until the transaction ends. */
export async function holdDevices(trx: UserapiTransaction, userIds: readonly string[]): Promise<DeviceRef[]> {
  const held = await sql<{ user_id: string; device_id: string }>`
    SELECT user_id, device_id FROM userapi_devices WHERE user_id = ANY(${[...userIds]}::text[])
    ORDER BY user_id, device_id FOR KEY SHARE
  `.execute(trx);
  return held.rows.map((row) => ({ userId: row.user_id, deviceId: row.device_id }));
}

export interface NewMessage extends DeviceRef {
  sender: string;
  type: string;
  content: JsonObject;
  position: number;
}

export async function insertMessages(
  trx: UserapiTransaction,
  messages: readonly NewMessage[],
): Promise<void> {
  await sql`
    INSERT INTO userapi_to_device (user_id, device_id, position, sender, type, content)
    SELECT * FROM unnest(
      ${messages.map((one) => one.userId)}::text[], ${messages.map((one) => one.deviceId)}::text[],
      ${messages.map((one) => one.position)}::bigint[], ${messages.map((one) => one.sender)}::text[],
      ${messages.map((one) => one.type)}::text[], ${messages.map((one) => JSON.stringify(one.content))}::json[]
    )
  `.execute(trx);
}

/** Messages for a device, the oldest first. */
export async function selectMessages(
  db: Kysely<UserapiTables>,
  { userId, deviceId }: DeviceRef,
  range: { after: number; upTo: number; limit: number },
): Promise<ToDeviceMessage[]> {
  return db
    .selectFrom('userapi_to_device')
    .select(['position', 'sender', 'type', 'content'])
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .where('position', '>', range.after)
    .where('position', '<=', range.upTo)
    .orderBy('position')
    .limit(range.limit)
    .execute();
}

export async function removeMessages(
  db: Kysely<UserapiTables>,
  { userId, deviceId }: DeviceRef,
  upTo: number,
): Promise<void> {
  await db
    .deleteFrom('userapi_to_device')
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .where('position', '<=', upTo)
    .execute();
}
