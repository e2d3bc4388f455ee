import type { EventLog } from './command.ts';
import { roomserverOutput } from './roomserver.ts';
import { userapiOutput } from './userapi.ts';

/** Every log of facts there is. */
export const eventLogs: readonly EventLog<unknown>[] = [userapiOutput, roomserverOutput];
