import type { Bus } from '@seneschal/bus';
import type { Stoppable } from '@seneschal/observability';

/** Starts the federation component. It has no commands yet: this server only publishes its key. */
export async function startFederation({ bus }: { bus: Bus }): Promise<Stoppable> {
  return bus.serve('federation', []);
}
