import { ConfigError, loadConfig } from './config.ts';

const needed = { SENESCHAL_DATABASE_URL: 'postgresql://x@y/z', SENESCHAL_REDIS_URL: 'redis://y:1' };

function problemsOf(yaml: string | undefined, environment: Record<string, string>): string {
  try {
    loadConfig(yaml, { ...needed, ...environment });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

describe('loadConfig', () => {
  it('takes defaults, the file and then the environment', () => {
    const config = loadConfig('listen: 127.0.0.1:1\nbcrypt_cost: 11', {
      ...needed,
      SENESCHAL_LISTEN: '[::1]:2',
    });
    expect(config.listen).toEqual({ host: '::1', port: 2 });
    expect(config.bcrypt_cost).toBe(11);
    expect(config.server_name).toBe('localhost');
    expect(config.shutdown_timeout).toBe(10_000);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(loadConfig(undefined, needed))).toBe(true);
  });

  it('reads on and off', () => {
    expect(loadConfig('rate_limits: off', needed).rate_limits).toBe(false);
    expect(loadConfig(undefined, { ...needed, SENESCHAL_RATE_LIMITS: 'on' }).rate_limits).toBe(true);
  });

  it('names an unknown key and an unknown variable', () => {
    expect(problemsOf('sever_name: x', {})).toMatch(/^sever_name is not a setting/);
    expect(problemsOf(undefined, { SENESCHAL_LISTN: 'x' })).toMatch(/^SENESCHAL_LISTN is not a setting/);
  });

  it('names what is missing', () => {
    expect(() => loadConfig(undefined, {})).toThrow(/database_url is not set[^]*redis_url is not set/);
  });

  it.each([
    ['SENESCHAL_LISTEN', '8008'],
    ['SENESCHAL_LISTEN', 'localhost:99999'],
    ['SENESCHAL_SERVER_NAME', 'not a name'],
    ['SENESCHAL_BCRYPT_COST', '3'],
    ['SENESCHAL_BCRYPT_COST', 'ten'],
    ['SENESCHAL_LOG_LEVEL', 'loud'],
    ['SENESCHAL_SHUTDOWN_TIMEOUT', '10'],
    ['SENESCHAL_DATABASE_URL', 'mysql://x'],
    ['SENESCHAL_DEFAULT_ROOM_VERSION', '99'],
    ['SENESCHAL_TRUSTED_PROXIES', 'proxy.example'],
    ['SENESCHAL_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['SENESCHAL_TRUSTED_PROXIES', 'loopback,'],
    ['SENESCHAL_ADMIN_ALLOWED_NETWORKS', '10.0.0.0/33'],
    ['SENESCHAL_ADMIN_ALLOWED_NETWORKS', 'admin.example'],
    ['SENESCHAL_ADMIN_ALLOWED_ORIGINS', 'admin.example'],
    ['SENESCHAL_ADMIN_ALLOWED_ORIGINS', 'https://admin.example/'],
    ['SENESCHAL_ADMIN_ALLOWED_ORIGINS', 'https://admin.example, *'],
    ['SENESCHAL_MEILISEARCH_API_KEY', 'aaaaaaaaaaaaaaaaaaaa'],
  ])('stops at a bad %s (%s), naming the setting', (name, value) => {
    expect(problemsOf(undefined, { [name]: value })).toMatch(new RegExp(`^${name} `));
  });

  it.each([
    '',
    'x9Qf',
    'changeme-changeme-changeme',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    'registration_shared_secret',
  ])('trap 26 (CVE-2026-24044): refuses the weak secret %p without showing it', (secret) => {
    const message = problemsOf(undefined, { SENESCHAL_REGISTRATION_SHARED_SECRET: secret });
    expect(message).toMatch(/^SENESCHAL_REGISTRATION_SHARED_SECRET /);
    if (secret !== '') expect(message).not.toContain(` ${secret}`);
  });

  it.each(['loopback', '10.0.0.0/8, 192.168.1.1', '::1,fd00::/8'])('believes the proxies %s', (proxies) => {
    const config = loadConfig(undefined, { ...needed, SENESCHAL_TRUSTED_PROXIES: proxies });
    expect(config.trusted_proxies).toBe(proxies);
  });

  it('takes a room version that the file has as a number', () => {
    expect(loadConfig('default_room_version: 11', needed).default_room_version).toBe('11');
  });

  it('reads contacts with and without roles, as text and as a list', () => {
    const expected = [
      { role: 'm.role.admin', matrix_id: '@alice:example.org' },
      { role: 'm.role.security', email_address: 'security@example.org' },
    ];
    const text = '@alice:example.org, m.role.security security@example.org';
    const given = { ...needed, SENESCHAL_SUPPORT_CONTACTS: text };
    expect(loadConfig(undefined, given).support_contacts).toEqual(expected);
    const yaml = "support_contacts: ['@alice:example.org', 'm.role.security security@example.org']";
    expect(loadConfig(yaml, needed).support_contacts).toEqual(expected);
    expect(loadConfig(undefined, needed).support_contacts).toEqual([]);
  });

  it.each([
    ['SENESCHAL_SUPPORT_CONTACTS', 'hunter2'],
    ['SENESCHAL_SUPPORT_CONTACTS', 'm.role.admin a b@example.org'],
    ['SENESCHAL_SUPPORT_CONTACTS', 'M!ROLE b@example.org'],
    ['SENESCHAL_SUPPORT_PAGE', 'javascript:hunter2'],
    ['SENESCHAL_PUBLIC_BASE_URL', 'matrix.example.org'],
    ['SENESCHAL_DELEGATED_SERVER', 'https://example.org'],
  ])('refuses %s=%s', (name, value) => {
    const problems = problemsOf(undefined, { [name]: value });
    expect(problems).toContain(name);
    expect(problems).not.toContain('hunter2');
  });

  it('does not quote broken YAML', () => {
    expect(problemsOf('a: [hunter2', {})).toBe('The configuration file is not valid YAML.');
  });
});
