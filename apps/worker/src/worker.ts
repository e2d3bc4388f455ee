import type { Config } from '@seneschal/config';
import type { Stoppable } from '@seneschal/observability';
import { healthEndpoints, serve, serveMetrics, startOn } from '@seneschal/service';

import { chooseComponents, startComponents } from './components.ts';

/** Runs components as a process of their own, with the health endpoints on `listen`. */
export async function startWorker(config: Config, words: readonly string[]): Promise<Stoppable> {
  const names = chooseComponents(words);
  return startOn(config, { name: `worker ${names.join(' ')}` }, async (platform) => {
    await startComponents(platform, names);
    await serve(platform, {
      endpoints: healthEndpoints(platform),
      userapi: { requesterByToken: () => Promise.resolve(undefined) },
      connections: { seen: () => undefined },
      at: config.listen,
    });
    await serveMetrics(platform);
    return platform;
  });
}
