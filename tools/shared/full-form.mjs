import { parseArgs } from 'node:util';

/**
 * Runs all that the tests of a project of the tools do, of which `npm test` does a part.
 * @param project its folder
 * @param variable of the environment, by which the tests know
 */
export async function runFullForm({ help, project, variable }) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  process.env[variable] = 'full';
  const words = positionals.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const chosen = words.length > 0 ? ['--', '--verbose', '-t', `^${words.join('.*')}`] : [];
  process.argv.splice(2, positionals.length, '--project', project, ...chosen);
  await import('../test.mjs');
}
