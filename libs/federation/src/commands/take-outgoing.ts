import type { Bus } from '@seneschal/bus';

/** Applies what the logs hold by now. What cannot be applied is logged, and applied later. */
export async function takeOutgoing({ bus }: { bus: Pick<Bus, 'catchUp'> }): Promise<object> {
  await bus.catchUp();
  return {};
}
