// What tools/load does for some seconds beside the other tests, for two minutes.
import { parseArgs } from 'node:util';

const help = `npm run test:load [-- --seconds N]

32 clients on 4 worker processes and 2 client gateways send, join, leave and change power levels in the same
rooms, as fast as they are answered, and follow the rooms meanwhile. Afterwards no event may be lost or there
twice, all have been told of everything in one order, and see the state that the rooms have.

  --seconds N     for so long; 120 unless given
  --help          this text
`;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '120' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(help);
} else {
  process.env.SENESCHAL_LOAD_SECONDS = values.seconds;
  process.argv.splice(2, process.argv.length, '--project', 'tools/load', '--', '--verbose');
  await import('./test.mjs');
}
