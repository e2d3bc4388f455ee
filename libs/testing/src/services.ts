import { randomBytes } from 'node:crypto';

/** The PostgreSQL and Redis that `npm test` started for the tests. */
export function testServices(): { databaseUrl: string; redisUrl: string } {
  const databaseUrl = process.env['SENESCHAL_TEST_DATABASE_URL'];
  const redisUrl = process.env['SENESCHAL_TEST_REDIS_URL'];
  if (databaseUrl === undefined || redisUrl === undefined) {
    throw new Error(
      'SENESCHAL_TEST_DATABASE_URL and SENESCHAL_TEST_REDIS_URL are not set: run tests with `npm test`.',
    );
  }
  return { databaseUrl, redisUrl };
}

/** A name that no other test has. */
export function uniqueName(): string {
  return `t${randomBytes(8).toString('hex')}`;
}
