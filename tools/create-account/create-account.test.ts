import { Readable } from 'node:stream';

import {
  removeKeys,
  rowsOf,
  testServices,
  type TestDatabase,
  uniqueName,
  withDatabase,
} from '@seneschal/testing';

import { main } from './main.ts';

interface Outcome {
  code: number;
  printed: string;
  complaint: string;
}

interface AccountRow {
  localpart: string;
  account_type: number;
  password_hash: string;
}

describe('create-account', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await withDatabase();
    env = {
      SENESCHAL_SERVER_NAME: 'test.example',
      SENESCHAL_DATABASE_URL: database.url,
      SENESCHAL_REDIS_URL: testServices().redisUrl,
      SENESCHAL_REDIS_PREFIX: uniqueName(),
      SENESCHAL_BCRYPT_COST: '4',
    };
  });
  afterAll(async () => {
    await removeKeys(testServices().redisUrl, env['SENESCHAL_REDIS_PREFIX'] ?? '');
    await database.stop();
  });

  const run = async (args: string[], stdin: Readable, settings = env): Promise<Outcome> => {
    const outcome = { printed: '', complaint: '' };
    const code = await main({
      args,
      env: settings,
      stdin,
      print: (text) => void (outcome.printed += text),
      complain: (text) => void (outcome.complaint += text),
    });
    return { code, ...outcome };
  };
  const line = (text: string): Readable => Readable.from([text]);
  const terminal = (text: string): Readable =>
    Object.assign(Readable.from(text.split('')), { isTTY: true, setRawMode: () => undefined });
  const accountOf = async (localpart: string): Promise<AccountRow | undefined> => {
    const rows = await rowsOf<AccountRow>(database.tables(), 'SELECT * FROM userapi_accounts');
    return rows.find((row) => row.localpart === localpart);
  };

  it('makes a user with the password from standard input', async () => {
    const outcome = await run(['--username', 'alice'], line('a good password\r\nand more\n'));
    expect(outcome).toEqual({ code: 0, printed: '@alice:test.example\n', complaint: '' });
    const account = await accountOf('alice');
    expect(account?.account_type).toBe(1);
    expect(account?.password_hash).toMatch(/^\$2b\$04\$/);
  });

  it('makes an administrator, and asks twice on a terminal without showing the password', async () => {
    const outcome = await run(
      ['--username', 'root', '--admin'],
      terminal('long enougx\u007fh\rlong enough\r'),
    );
    expect(outcome.printed).toBe('@root:test.example\n');
    expect(outcome.complaint).toBe('Password: \nThe same again: \n');
    expect((await accountOf('root'))?.account_type).toBe(3);
  });

  it('makes nothing when the two differ, or at Ctrl-C', async () => {
    const differing = await run(['--username', 'bob'], terminal('long enough\rlong enouhg\r'));
    expect(differing.code).toBe(1);
    expect(differing.complaint).toContain('These were two different passwords.');
    expect((await run(['--username', 'bob'], terminal('long\u0003'))).complaint).toContain('No account');
    expect(await accountOf('bob')).toBeUndefined();
  });

  it.each([
    [['--username', 'taken'], 'a good password', 'Desired user ID is already taken.\n'],
    [['--username', 'Alice'], 'a good password', /^A user name is made of /],
    [['--username', 'carol'], 'short', 'password too weak: min 8 characters\n'],
    [['--username', 'carol'], '', 'Expecting non-empty password.\n'],
    [[], 'a good password', 'Say which account: --username NAME.\n'],
    [['--username', 'carol', '--password', 'x'], '', /^Unknown option '--password'/],
  ])('refuses %j with %j in one sentence', async (args, password, complaint) => {
    await run(['--username', 'taken'], line('a good password\n'));
    const outcome = await run(args, line(`${password}\n`));
    expect(outcome.code).toBe(1);
    expect(outcome.printed).toBe('');
    expect(outcome.complaint).toEqual(expect.stringMatching(complaint));
    expect(outcome.complaint.trimEnd()).not.toContain('\n');
  });

  it('says in one sentence that the database is away, without its address', async () => {
    const url = 'postgresql://seneschal:verysecret@127.0.0.1:9/x';
    const settings = { ...env, SENESCHAL_DATABASE_URL: url };
    const outcome = await run(['--username', 'dave'], line('a good password\n'), settings);
    expect(outcome.complaint).toMatch(/^PostgreSQL cannot be reached/);
    expect(outcome.complaint).not.toContain('verysecret');
  });

  it('helps', async () => {
    expect((await run(['--help'], line(''))).printed).toContain('npm run create-account');
  });
});
