import { createHash } from 'node:crypto';

import { type Kysely, sql } from 'kysely';

import type { Command } from '@seneschal/contracts';
import { userapi } from '@seneschal/contracts';
import { createLogTable } from '@seneschal/database';
import { Jobs, jobsMigrations } from '@seneschal/jobs';
import { createLogger, Lifecycle } from '@seneschal/observability';
import { startBus, withDatabase } from '@seneschal/testing';

import { startUserapi, userapiMigrations, userapiReads, type UserapiReads } from '../src/index.ts';
import { hashPassword } from '../src/passwords/passwords.ts';
import type { UserapiTables } from '../src/storage/tables.ts';

export const connection = { ip: '192.0.2.1', userAgent: 'test' };

export interface Fixture {
  db: Kysely<UserapiTables>;
  reads: UserapiReads;
  call<I, O>(command: Command<I, O>, input: I, idempotencyKey?: string): Promise<O>;
  /** Makes an account with a device `D1` whose token is `token-<localpart>`. */
  register(localpart: string, password?: string): Promise<string>;
  login(userId: string, deviceId: string): Promise<void>;
  /** The kinds of the facts about a user, in order. */
  facts(userId: string): Promise<string[]>;
  stop(): Promise<void>;
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** The user API alone, on a database and a Redis prefix of its own. */
export async function startFixture(): Promise<Fixture> {
  const lifecycle = new Lifecycle();
  const { database } = lifecycle.add(
    await withDatabase({ userapi: userapiMigrations, jobs: jobsMigrations }),
  );
  const { bus } = lifecycle.add(await startBus(database, { concurrency: 16 }));
  const logger = createLogger('silent');
  const jobs = lifecycle.add(await Jobs.open({ bus, database, logger, concurrency: 1, retentionMs: 60_000 }));
  const config = {
    server_name: 'x.test',
    bcrypt_cost: 4,
    server_notices_localpart: '_server',
    server_notices_display_name: 'Server Alerts',
    server_notices_room_name: 'Server Alerts',
  };
  // There are no rooms here, and nothing is said of them.
  await createLogTable(database.tables(), 'roomserver_output');
  const roomserver = { predecessors: async () => new Map<string, string>() };
  lifecycle.add(await startUserapi({ bus, jobs, database, config, logger, roomserver }));
  const db = database.tables<UserapiTables>();
  const call: Fixture['call'] = (command, input, idempotencyKey) =>
    bus.call(command, input, idempotencyKey === undefined ? {} : { idempotencyKey });
  return {
    db,
    call,
    reads: userapiReads(database, { bcrypt_cost: 4 }),
    register: async (localpart, password = 'password') => {
      const device = { deviceId: 'D1', tokenHash: tokenHash(`token-${localpart}`), connection };
      const passwordHash = await hashPassword(password, 4);
      const { userId } = await call(userapi.createAccount, {
        localpart,
        passwordHash,
        accountType: 1,
        device,
      });
      return userId;
    },
    login: async (userId, deviceId) => {
      const token = tokenHash(`token-${userId}-${deviceId}`);
      await call(userapi.createDevice, { userId, deviceId, tokenHash: token, connection });
    },
    facts: async (userId) => {
      const rows = await sql<{ kind: string }>`SELECT fact->>'kind' AS kind FROM userapi_output
        WHERE fact->>'userId' = ${userId} ORDER BY position`.execute(db);
      return rows.rows.map((row) => row.kind);
    },
    stop: () => lifecycle.stop(),
  };
}
