import { loadConfig } from '@seneschal/config';
import { openPlatform } from '@seneschal/service';
import { chooseComponents, startComponents } from '@seneschal/worker';

/** The components that are named, in a process of their own, which says when they are up. */
const platform = await openPlatform(loadConfig(undefined, process.env), { name: 'worker' });
await startComponents(platform, chooseComponents(process.argv.slice(2)));
process.send?.({ ready: true });
