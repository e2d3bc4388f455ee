import { z } from 'zod';

import { command } from './command.ts';

export const receiptTypes = ['m.read', 'm.read.private'] as const;
export type ReceiptType = (typeof receiptTypes)[number];

/**
 * Read receipts and the fully-read marker of a user in a room, of events that the caller has looked up. A receipt
 * never goes back to an earlier event.
 */
export const setReceipts = command('userapi', 'setReceipts', {
  input: z.object({
    userId: z.string(),
    roomId: z.string(),
    receipts: z.array(
      z.object({
        type: z.enum(receiptTypes),
        /** `main`, the ID of a thread's first event, or null for a receipt that holds for all threads. */
        threadId: z.string().nullable(),
        eventId: z.string(),
        /** Of the event in the room server's stream. */
        eventPosition: z.number(),
      }),
    ),
    fullyRead: z.string().optional(),
  }),
  output: z.object({}),
});

/** Public receipts of users of other servers, whose server and place have been checked by the caller. */
export const receiveReceipts = command('userapi', 'receiveReceipts', {
  input: z.object({
    receipts: z.array(
      z.object({
        userId: z.string(),
        roomId: z.string(),
        threadId: z.string().nullable(),
        eventId: z.string(),
        eventPosition: z.number(),
        ts: z.number(),
      }),
    ),
  }),
  output: z.object({}),
});

export interface Receipt {
  roomId: string;
  userId: string;
  type: ReceiptType;
  threadId: string | null;
  eventId: string;
  eventPosition: number;
  ts: number;
}

/** Up to where a user has read a room: positions of the room server's stream. */
export interface ReadUpTo {
  /** What was read whatever the thread. */
  all: number;
  /** By `main` or the ID of a thread's first event. */
  threads: ReadonlyMap<string, number>;
}
