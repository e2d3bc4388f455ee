import { z } from 'zod';

import type { EventLog } from './command.ts';

/** A server is behind: an event has waited for it for longer than it should. Told once in an episode. */
const destinationLagging = z.object({
  kind: z.literal('destination_lagging'),
  destination: z.string(),
  /** When the oldest event that waits was queued, in ms. */
  sinceTs: z.number(),
  lagMs: z.number(),
  /** Events that wait. */
  pdus: z.number(),
  /** Attempts that failed since the last that did not. */
  failures: z.number(),
  lastError: z.string().nullable(),
});
/** It has caught up: the episode has ended. */
const destinationRecovered = z.object({
  kind: z.literal('destination_recovered'),
  destination: z.string(),
  sinceTs: z.number(),
  /** From then until now. */
  lagMs: z.number(),
});
const federationFact = z.discriminatedUnion('kind', [destinationLagging, destinationRecovered]);
export type FederationFact = z.infer<typeof federationFact>;

export const federationOutput: EventLog<FederationFact> = {
  table: 'federation_output',
  consumers: [],
  fact: federationFact,
};
