import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

/** The page docs/configuration.md, made from the table of settings. */
export function configurationPage(): string {
  const rows = (Object.entries(settings) as [string, Setting<unknown>][]).map(([name, one]) => {
    const fallback = one.fallback === null ? '–' : `\`${String(one.fallback)}\``;
    const secret = one.secret ? ' Secret: it is never logged.' : '';
    return `| \`${name}\` | \`${one.environment}\` | ${fallback} | ${one.description}${secret} |`;
  });
  return [
    '# Configuration',
    '',
    'Settings stand in a YAML file (`seneschal.yaml`, or `--config FILE`), one `name: value` a line. An',
    'environment variable overrides the file. An unknown setting, a bad value or a weak secret stops the start',
    'with the name of the setting.',
    '',
    'This page is made from `libs/config/src/settings.ts` by `npm run generate`.',
    '',
    '| setting | variable | default | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
