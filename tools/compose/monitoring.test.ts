import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { ourServices, readServices } from './compose-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const services = readServices({
  SENESCHAL_SERVER_NAME: 'example.org',
  POSTGRES_PASSWORD: 'a0b1c2d3e4f5a6b7',
  SENESCHAL_REGISTRATION_SHARED_SECRET: 'kV4nT9qLw2xZ8rYd',
  SENESCHAL_MEILISEARCH_API_KEY: 'q8ZrT2mVx6LpW4sN',
});

function file(name: string): unknown {
  return parse(readFileSync(`${root}/deploy/monitoring/${name}`, 'utf8'));
}

describe('deploy/monitoring', () => {
  it('is mounted from files that exist, and reached from this machine alone', () => {
    for (const name of ['prometheus', 'grafana']) {
      const service = services[name];
      expect(service?.['profiles']).toEqual(['monitoring']);
      for (const port of service?.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      const mounted = (service?.volumes ?? []).filter((volume) => volume.startsWith('./'));
      expect(mounted.length).toBeGreaterThan(1);
      for (const volume of mounted) expect(existsSync(`${root}/${volume.split(':')[0]!}`)).toBe(true);
    }
  });

  it('reads the metrics of every program of ours', () => {
    const { scrape_configs: jobs } = file('prometheus.yml') as {
      scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    const found = jobs[0]!.dns_sd_configs[0]!;
    expect([...found.names].sort()).toEqual(
      ourServices(services)
        .map(([name]) => name)
        .sort(),
    );
    for (const [, { environment }] of ourServices(services)) {
      expect(environment?.['SENESCHAL_METRICS_LISTEN']).toBe(`0.0.0.0:${found.port}`);
    }
  });

  it('has alerts that say what is wrong', () => {
    const { groups } = file('alerts.yml') as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr, annotations } of rules) {
      expect([alert, expr === '', annotations.summary === '']).toEqual([alert, false, false]);
    }
  });
});
