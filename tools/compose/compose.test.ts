import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { loadConfig } from '@seneschal/config';

import { ourServices, readServices } from './compose-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const secrets = {
  SENESCHAL_SERVER_NAME: 'example.org',
  POSTGRES_PASSWORD: 'a0b1c2d3e4f5a6b7',
  SENESCHAL_REGISTRATION_SHARED_SECRET: 'kV4nT9qLw2xZ8rYd',
  SENESCHAL_MEILISEARCH_API_KEY: 'q8ZrT2mVx6LpW4sN',
};

const services = readServices(secrets);
const ours = ourServices(services);

/** The arguments before `config` of the command that is there, or undefined. */
function findCompose(): string[] | undefined {
  return [['docker', 'compose'], ['docker-compose']].find(
    ([program = '', ...rest]) => spawnSync(program, [...rest, 'version']).status === 0,
  );
}

/** As root on Debian the package is installed, as the set-up does with Redis; CI cannot do without. */
function composeCommand(): string[] | undefined {
  const found = findCompose();
  if (found !== undefined) return found;
  const install = 'apt-get install -y --no-install-recommends docker-compose';
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    spawnSync('sh', ['-c', `${install} || { apt-get update && ${install}; }`]);
  }
  const installed = findCompose();
  if (installed === undefined && process.env['CI'] === 'true') {
    throw new Error(`There is no docker-compose to check docker-compose.yml with. Install it: ${install}`);
  }
  return installed;
}

function runConfig([program = '', ...rest]: string[], variables: Record<string, string>) {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables };
  return spawnSync(program, [...rest, '-f', 'docker-compose.yml', 'config'], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
}

describe('docker-compose.yml', () => {
  it('has the gateways and the worker, each from a program of ours', () => {
    expect(ours.map(([name]) => name).sort()).toEqual([
      'admin-gateway',
      'client-gateway',
      'federation-gateway',
      'worker',
    ]);
    for (const [name, { command }] of ours) {
      expect(command).toBe(`node dist/${name}.mjs`);
      expect(existsSync(`${root}/apps/${name}/src/main.ts`)).toBe(true);
    }
  });

  it('checks the health of every service', () => {
    for (const service of Object.values(services)) expect(service.healthcheck?.test[0]).toBe('CMD');
  });

  it('starts our programs after the services that they need', () => {
    for (const [, { depends_on: needed }] of ours) {
      expect(needed).toMatchObject({
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
  });

  it('lets every program of ours be scaled', () => {
    for (const [, service] of ours) {
      expect(service['container_name']).toBeUndefined();
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+-\d+:8008$/);
    }
  });

  it('gives our programs settings that they accept, and one signing key', () => {
    for (const [, { environment, volumes }] of ours) {
      expect(loadConfig(undefined, environment ?? {}).server_name).toBe('example.org');
      expect(volumes).toContain(`signing-key:${environment?.['SENESCHAL_DATA_DIR'] ?? ''}`);
    }
  });

  it('has a Redis that neither evicts nor forgets', () => {
    expect(services['redis']?.command).toContain('--maxmemory-policy noeviction');
    expect(services['redis']?.command).toContain('--appendonly yes');
  });

  it('has no secret of its own', () => {
    for (const name of Object.keys(secrets)) {
      const { [name]: _left, ...others } = secrets as Record<string, string>;
      expect(() => readServices(others)).toThrow(`${name} is not set`);
    }
    expect(readFileSync(`${root}/docker-compose.yml`, 'utf8')).not.toMatch(/(PASSWORD|SECRET|KEY): [^$]/);
  });

  it('is accepted by docker-compose where there is one', () => {
    const compose = composeCommand();
    if (compose === undefined) return;
    const accepted = runConfig(compose, secrets);
    expect(accepted.stderr).toBe('');
    expect(accepted.status).toBe(0);
    const { SENESCHAL_REGISTRATION_SHARED_SECRET: _left, ...others } = secrets;
    expect(runConfig(compose, others).status).not.toBe(0);
  }, 300_000);
});
