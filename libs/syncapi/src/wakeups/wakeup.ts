import { z } from 'zod';

/** Tells the gateways of a commit: who was waiting for it, by room and by user. */
const wakeup = z.object({
  log: z.enum(['roomserver', 'userapi', 'typing']),
  position: z.number(),
  rooms: z.array(z.string()),
  users: z.array(z.string()),
});
export type Wakeup = z.infer<typeof wakeup>;

/** The Redis channel of wake-ups. */
export function wakeupChannel(prefix: string): string {
  return `${prefix}:sync`;
}

export function parseWakeup(message: string): Wakeup {
  return wakeup.parse(JSON.parse(message));
}
