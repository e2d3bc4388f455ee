import type { OwnedRows } from '@seneschal/database';

/** Everything that is stored for a room, by the room's ID. What is added here is deleted with the room. */
export const roomRows: readonly OwnedRows[] = [
  {
    table: 'userapi_account_data',
    owner: 'room_id',
    key: ['user_id', 'type'],
    where: "room_id <> ''",
  },
  { table: 'userapi_receipts', owner: 'room_id', key: ['user_id', 'type', 'thread_id'] },
  { table: 'userapi_key_backups', owner: 'room_id', key: ['user_id', 'version', 'session_id'] },
  {
    table: 'userapi_output',
    owner: "fact->>'roomId'",
    key: ['position'],
    where: "fact->>'roomId' IS NOT NULL",
  },
];
