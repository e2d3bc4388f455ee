import { createRequire } from 'node:module';

import { loadConfig } from '@seneschal/config';
import { startHomeserver } from '@seneschal/homeserver';

// Starts a server by the settings of its environment, says how much of OpenTelemetry is loaded besides its API, and ends.
const settings = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^SENESCHAL_(?!TEST)/.test(name)),
);
const homeserver = await startHomeserver(loadConfig(undefined, settings));
const loaded = Object.keys(createRequire(import.meta.url).cache);
process.send?.({ telemetry: loaded.filter((file) => /@opentelemetry\/(?!api\/)/.test(file)).length });
await homeserver.stop();
