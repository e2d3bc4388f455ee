import { type JsonObject, ownString } from '@seneschal/matrix';

/** Whether anybody may join a room, or read it: its members are then known to everybody, too. */
export function isOpenToAll(contentOf: (type: string) => JsonObject | undefined): boolean {
  return (
    ownString(contentOf('m.room.join_rules'), 'join_rule') === 'public' ||
    ownString(contentOf('m.room.history_visibility'), 'history_visibility') === 'world_readable'
  );
}
