import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { readText } from './files.mjs';
import { inFolder } from './in-folder.mjs';
import { takeConfigArgument } from './program.mjs';
import { ensureConfig, readSettings } from './settings.mjs';

const quiet = { info: () => undefined };

describe('settings', () => {
  it('never take the working folder for the data, as an empty name would', () => {
    const env = { SENESCHAL_DATA_DIR: '' };
    expect(() => readSettings({ env })).toThrow(/^SENESCHAL_DATA_DIR is empty/);
    expect(() => ensureConfig({ env, log: quiet })).toThrow(/^SENESCHAL_DATA_DIR is empty/);
  });

  it('come from the environment, then the file, then defaults', () =>
    inFolder((folder) => {
      expect(readSettings({ env: {}, folder }).dataDir).toBe(join(folder, 'data'));
      writeFileSync(join(folder, 'seneschal.yaml'), 'data_dir: elsewhere # here\nredis_url: "redis://a:1"\n');
      const { dataDir, given } = readSettings({ env: { SENESCHAL_DATABASE_URL: 'x' }, folder });
      expect(dataDir).toBe(join(folder, 'elsewhere'));
      expect(given).toEqual({ databaseUrl: 'x', redisUrl: 'redis://a:1' });
      expect(readSettings({ env: { SENESCHAL_DATA_DIR: '/d' }, folder }).dataDir).toBe('/d');
    }));

  it('do not quote broken YAML', () =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'seneschal.yaml'), 'a: [hunter2');
      expect(() => readSettings({ env: {}, folder })).toThrow(/seneschal\.yaml is not valid YAML\.$/);
    }));

  it('name a file that is not there', () => {
    expect(() => readSettings({ named: '/nowhere.yaml', env: {} })).toThrow('/nowhere.yaml does not exist');
  });

  it('are written once, with a secret of their own', () =>
    inFolder((folder) => {
      const file = join(folder, 'data', 'seneschal.yaml');
      ensureConfig({ env: { SENESCHAL_REGISTRATION_SHARED_SECRET: 'x' }, log: quiet, folder });
      expect(existsSync(file)).toBe(false);
      ensureConfig({ env: {}, log: quiet, folder });
      const first = readText(file);
      expect(first).toMatch(/^registration_shared_secret: "[\w-]{43}"$/m);
      ensureConfig({ env: {}, log: quiet, folder });
      expect(readText(file)).toBe(first);
      expect(readSettings({ env: {}, folder }).configFile).toBe(file);
    }));

  it('are found among the arguments', () => {
    expect(takeConfigArgument(['--config', 'a', 'b'])).toEqual({ named: 'a', rest: ['b'] });
    expect(takeConfigArgument(['--config=a'])).toEqual({ named: 'a', rest: [] });
  });
});
