import { sql } from 'kysely';
import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { unknownToken } from '@seneschal/matrix';

import { holdDevice } from '../storage/devices.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setPusher.input>;

export interface SetPusherDeps {
  db: UserapiDb;
}

/**
 * Sets or deletes a pusher. Unless `append` is given, other users lose theirs with the same app and key
 * (client-server API, `POST /pushers/set`).
 */
export async function setPusher(deps: SetPusherDeps, input: Input): Promise<Record<string, never>> {
  const { userId, deviceId, appId, pushkey, pusher } = input;
  await transact(deps.db, async (trx) => {
    if (pusher === null) {
      await sql`DELETE FROM userapi_pushers
        WHERE app_id = ${appId} AND pushkey = ${pushkey} AND user_id = ${userId}`.execute(trx);
      return;
    }
    if (!(await holdDevice(trx, userId, deviceId))) throw unknownToken('The device has been logged out.');
    if (!input.append) {
      await sql`DELETE FROM userapi_pushers
        WHERE app_id = ${appId} AND pushkey = ${pushkey} AND user_id <> ${userId}`.execute(trx);
    }
    await sql`
      INSERT INTO userapi_pushers (user_id, app_id, pushkey, device_id, pusher, created_ts)
      VALUES (${userId}, ${appId}, ${pushkey}, ${deviceId}, ${JSON.stringify(pusher)}::json, ${Date.now()})
      ON CONFLICT (app_id, pushkey, user_id)
      DO UPDATE SET device_id = excluded.device_id, pusher = excluded.pusher
    `.execute(trx);
  });
  return {};
}
