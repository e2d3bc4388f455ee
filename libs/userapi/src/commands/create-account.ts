import { randomBytes } from 'node:crypto';

import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, makeUserId, userInUse } from '@seneschal/matrix';

import { checkLocalpart } from '../localparts.ts';
import { insertAccount } from '../storage/accounts.ts';
import { upsertDevice } from '../storage/devices.ts';
import { appendFacts, wakeConsumers } from '../storage/output.ts';
import { insertProfile } from '../storage/profiles.ts';
import { completeHold } from '../storage/registration-uses.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.createAccount.input>;
type Output = z.infer<typeof userapi.createAccount.output>;

export interface CreateAccountDeps {
  db: UserapiDb;
  bus: WakeBus;
  serverName: string;
}

/**
 * Makes an account with a profile and, when asked, a device. M_USER_IN_USE, M_INVALID_USERNAME; M_FORBIDDEN
 * when the registration takes a token and holds no use of one.
 */
export async function createAccount(
  deps: CreateAccountDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Output> {
  const { localpart, device, registrationSession: session } = input;
  checkLocalpart(localpart, deps.serverName);
  const userId = makeUserId(localpart, deps.serverName);
  const deviceId = device === undefined ? undefined : (device.deviceId ?? newDeviceId());
  const output: Output = deviceId === undefined ? { userId } : { userId, deviceId };
  const position = await transact(deps.db, async (trx) => {
    // First of all: two deliveries of one command then meet here and not at the name, where the second
    // could not tell its own account from another's.
    await context.remember(trx, output);
    if (!(await insertAccount(trx, { ...input, serverName: deps.serverName }))) {
      throw userInUse('Desired user ID is already taken.');
    }
    if (session !== undefined && !(await completeHold(trx, { session, userId }))) {
      throw forbidden('The time for this registration is up, or its token is gone. Begin again.');
    }
    await insertProfile(trx, { userId, displayname: input.displayname ?? null, avatarUrl: null });
    if (device !== undefined && deviceId !== undefined) {
      await upsertDevice(trx, { ...device, userId, deviceId, displayName: device.displayName ?? null });
    }
    return appendFacts(trx, [{ kind: 'account_registered', userId }]);
  });
  wakeConsumers(deps.bus, position);
  return output;
}

/** Ten letters, as clients are used to. */
export function newDeviceId(): string {
  return Array.from(randomBytes(10), (byte) => String.fromCharCode(65 + (byte % 26))).join('');
}
