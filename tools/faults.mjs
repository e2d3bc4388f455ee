// All of the faults that tools/faults knows; `npm test` does a part of them.
import { parseArgs } from 'node:util';

const help = `npm run test:faults [-- JOB [WORD …]]

Runs jobs on two workers that are processes of their own, kills, stops and empties what they need, and holds the
end against that of an undisturbed run. All of it takes about half an hour; a JOB and WORDs choose the tests
whose names hold the words in this order:

  evacuation      of a room of 500 local users
  purge           of a room of 20,000 events
  bulk purge      of 8 rooms, each by a job of its own

  npm run test:faults -- purge
  npm run test:faults -- purge killed delete
  npm run test:faults -- bulk purge PostgreSQL

  --help          this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(help);
} else {
  process.env.SENESCHAL_FAULTS = 'full';
  const words = positionals.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const chosen = words.length > 0 ? ['--', '--verbose', '-t', `^${words.join('.*')}`] : [];
  process.argv.splice(2, positionals.length, '--project', 'tools/faults', ...chosen);
  await import('./test.mjs');
}
