import { chmod } from 'node:fs/promises';
import { join } from 'node:path';

import type { Finding } from '../src/self-check/finding.ts';
import { bitsOf } from '../src/self-check/secrets.ts';
import { path, type Report, report } from './self-check.ts';
import { Stage } from './stage.ts';

describe('a server that is set up as one should not be', () => {
  let stage: Stage;
  let shown: Finding[];
  beforeAll(async () => {
    const secret = 'correcthorsebattery';
    const settings = {
      SENESCHAL_SERVER_NAME: 'localhost',
      SENESCHAL_LISTEN: '0.0.0.0:0',
      SENESCHAL_METRICS_LISTEN: '0.0.0.0:0',
      SENESCHAL_REGISTRATION_SHARED_SECRET: secret,
      SENESCHAL_REGISTRATION_ENABLED: 'on',
      SENESCHAL_MEILISEARCH_URL: 'http://127.0.0.1:1',
      SENESCHAL_MEILISEARCH_API_KEY: secret,
      SENESCHAL_FEDERATION_VERIFY_CERTIFICATES: 'off',
      SENESCHAL_FEDERATION_ALLOWED_NETWORKS: '1.1.1.0/24, 192.168.0.0/16',
    };
    stage = await Stage.open({ settings });
    await chmod(join(stage.world.homeserver.platform.config.data_dir, 'signing.key'), 0o644);
    shown = (await report(stage)).findings;
  });
  afterAll(() => stage.stop());

  it.each([
    ['admin_api_on_open_listener', undefined],
    ['metrics_open', undefined],
    ['rate_limits_off', undefined],
    ['open_registration', undefined],
    ['weak_secret', 'registration_shared_secret'],
    ['weak_secret', 'meilisearch_api_key'],
    ['secret_used_twice', undefined],
    ['weak_password_hashes', undefined],
    ['signing_key_readable', expect.stringMatching(/signing\.key$/) as string],
    ['search_engine_fails', undefined],
    ['certificates_not_checked', undefined],
    ['federation_to_private_networks', '192.168.0.0/16'],
    ['server_name_is_local', 'localhost'],
  ])('is told of %s', (id, subject) => {
    expect(shown).toContainEqual({
      id,
      severity: expect.stringMatching(/^(info|warning|critical)$/) as string,
      ...(subject === undefined ? {} : { subject }),
      meaning: expect.stringMatching(/^.{20,}[.:]?/) as string,
      remedy: expect.stringMatching(/^.{10,}/) as string,
    });
  });

  it('is told the worst first, and no secret', async () => {
    const { status, findings } = await report(stage);
    expect([status, findings[0]?.severity, findings.at(-1)?.severity]).toEqual([
      'critical',
      'critical',
      'info',
    ]);
    expect(JSON.stringify(findings)).not.toContain('correcthorsebattery');
  });

  it('has an open listener of its own for administrators', async () => {
    const settings = { SENESCHAL_ADMIN_LISTEN: '0.0.0.0:0' };
    const own = await Stage.open({ settings });
    try {
      const token = own.admin.token;
      const answer = await fetch(`${own.world.homeserver.adminAddress}${path}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      const { findings } = (await answer.json()) as Report;
      expect(findings.map(({ id }) => id)).toContain('admin_listener_open');
    } finally {
      await own.stop();
    }
  });
});

describe('the strength of a secret', () => {
  it.each(['correcthorsebattery', 'abababababababababababababab', 'administratorpassword'])(
    'is too little in %s',
    (secret) => expect(bitsOf(secret)).toBeLessThan(80),
  );

  it.each(['f3a91c07be55d2846e0b7a1fc39d8824', 'q7Jw0-xZt5rB2nVkP8yLmA4d', 'pXW2n0wUQkq3dVYJ7sZf1g=='])(
    'is enough in %s',
    (secret) => expect(bitsOf(secret)).toBeGreaterThanOrEqual(80),
  );
});
