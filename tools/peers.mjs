// All that tools/peers does; `npm test` does less of it.
import { parseArgs } from 'node:util';

const help = `npm run test:peers [-- WORD …]

Runs two and three homeservers as processes of their own that share rooms, and meanwhile cuts and disturbs the network
between them, kills them, and sets their clocks wrong. All of it takes some minutes; WORDs choose the tests whose names
hold them in this order.

  --help          this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(help);
} else {
  process.env.SENESCHAL_PEERS = 'full';
  const words = positionals.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const chosen = words.length > 0 ? ['--', '--verbose', '-t', `^${words.join('.*')}`] : [];
  process.argv.splice(2, positionals.length, '--project', 'tools/peers', ...chosen);
  await import('./test.mjs');
}
