import type { syncapi } from '@seneschal/contracts';
import type { z } from 'zod';

import type { Typing } from '../typing/typing.ts';

type Input = z.infer<typeof syncapi.receiveTyping.input>;

/** How long a user of another server types when that server does not say more, in ms: as long as others take it. */
const timeoutMs = 60_000;

/** Notes who types, or has stopped. Twice is once. */
export async function receiveTyping(
  { typing }: { typing: Pick<Typing, 'set'> },
  input: Input,
): Promise<Record<string, never>> {
  for (const { roomId, userId, isTyping } of input.typing)
    await typing.set(roomId, userId, isTyping ? timeoutMs : 0);
  return {};
}
