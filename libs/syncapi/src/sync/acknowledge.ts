import type { CallBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import type { Logger } from '@seneschal/observability';

import type { SyncReads } from './sync-query.ts';

export interface AcknowledgeDeps {
  bus: CallBus;
  reads: Pick<SyncReads, 'userapi'>;
  logger: Pick<Logger, 'warn'>;
}

/**
 * A device comes back with the token of an answer: it has the messages up to there, which go. One that is missed
 * is made up for by the next sync, and no sync fails for it.
 */
export async function acknowledge(
  { bus, reads, logger }: AcknowledgeDeps,
  device: { userId: string; deviceId: string },
  upTo: number,
): Promise<void> {
  try {
    const { messages } = await reads.userapi.toDevice(device, { after: 0, upTo, limit: 1 });
    if (messages.length > 0) await bus.call(userapi.acknowledgeToDevice, { ...device, upTo });
  } catch (error) {
    logger.warn({ error }, 'messages to a device could not be acknowledged');
  }
}
