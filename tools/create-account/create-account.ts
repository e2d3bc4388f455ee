import type { Config } from '@seneschal/config';
import { accountTypes, userapi } from '@seneschal/contracts';
import { migrate } from '@seneschal/database';
import { createLogger } from '@seneschal/observability';
import { roomserverMigrations, roomserverReads } from '@seneschal/roomserver';
import { startOn } from '@seneschal/service';
import {
  checkLocalpart,
  checkPasswordRules,
  hashPassword,
  startUserapi,
  userapiReads,
} from '@seneschal/userapi';

interface NewAccount {
  localpart: string;
  password: string;
  isAdmin: boolean;
}

/** Throws M_INVALID_USERNAME unless an account may have this name. */
export function checkName(localpart: string, config: Pick<Config, 'server_name'>): void {
  checkLocalpart(localpart, config.server_name);
}

/**
 * Makes an account and answers its user ID. The command runs here or in a worker that is up: it is the same
 * queue. Throws MatrixError (name taken, weak password) and what a start throws.
 */
export async function createAccount(config: Config, account: NewAccount): Promise<string> {
  checkPasswordRules(account.password);
  const passwordHash = await hashPassword(account.password, config.bcrypt_cost);
  const options = { name: 'create-account', logger: createLogger('silent') };
  return startOn(config, options, async (platform) => {
    const { config: settings, database, logger } = platform;
    await migrate(database, 'roomserver', roomserverMigrations);
    const roomserver = roomserverReads(database, logger, userapiReads(database, settings));
    platform.lifecycle.add(await startUserapi({ ...platform, roomserver }));
    try {
      const { userId } = await platform.bus.call(userapi.createAccount, {
        localpart: account.localpart,
        passwordHash,
        accountType: account.isAdmin ? accountTypes.admin : accountTypes.user,
      });
      return userId;
    } finally {
      await platform.stop();
    }
  });
}
