import type { Command } from './command.ts';
import type { PurgedPage, PurgePage } from './room-rows.ts';
import { purgeRoomDocuments } from './search.ts';
import { purgeRoomData } from './userapi.ts';

/**
 * The components beside the room server that keep something of rooms. A room is gone when each of them says
 * that it has nothing left.
 */
export const roomPurgers: readonly Command<PurgePage, PurgedPage>[] = [purgeRoomData, purgeRoomDocuments];
