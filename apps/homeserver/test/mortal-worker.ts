import { loadConfig } from '@seneschal/config';
import { openPlatform } from '@seneschal/service';
import { componentNames, startComponents } from '@seneschal/worker';

/**
 * A worker with all components that can be told to die, by SIGKILL, where a purge has committed and told nobody
 * yet: before the consumers of the log are woken, before another component is asked, before its reply is taken.
 */
export type Death = 'wake' | 'ask' | 'reply';

const platform = await openPlatform(loadConfig(undefined, process.env), { name: 'mortal worker' });
const { bus } = platform;
let death: Death | undefined;

function dieAt(point: Death): void {
  if (death === point) process.kill(process.pid, 'SIGKILL');
}

const wake = bus.wake.bind(bus);
bus.wake = (...log) => {
  dieAt('wake');
  wake(...log);
};
const call = bus.call.bind(bus);
bus.call = async (command, input, options) => {
  const isDeletion = command.name === 'purgeRoomData' && !(input as { dryRun: boolean }).dryRun;
  if (isDeletion) dieAt('ask');
  const reply = await call(command, input, options);
  if (isDeletion) dieAt('reply');
  return reply;
};

await startComponents(platform, componentNames);
process.on('message', (message: { dieAt: Death }) => {
  death = message.dieAt;
  process.send?.({ armed: death });
});
process.send?.({ ready: true });
