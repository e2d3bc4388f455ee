import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import type { JsonObject } from '@seneschal/matrix';

import { appendFacts, wakeConsumers } from '../storage/output.ts';
import { lockProfile, updateProfile } from '../storage/profiles.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setProfile.input>;
type FieldInput = z.infer<typeof userapi.setProfileField.input>;

export interface SetProfileDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/**
 * Sets what is given of a profile; null empties it. The fact from which the rooms follow goes with it, unless nothing
 * changed. M_NOT_FOUND when there is no such account.
 */
export async function setProfile(
  deps: SetProfileDeps,
  { userId, displayname, avatarUrl }: Input,
): Promise<Record<string, never>> {
  const position = await transact(deps.db, async (trx) => {
    const before = await lockProfile(trx, userId);
    const after = {
      displayname: displayname === undefined ? before.displayname : displayname,
      avatarUrl: avatarUrl === undefined ? before.avatarUrl : avatarUrl,
    };
    if (after.displayname === before.displayname && after.avatarUrl === before.avatarUrl) return 0;
    await updateProfile(trx, userId, { ...before, ...after });
    return appendFacts(trx, [{ kind: 'profile_changed', userId }]);
  });
  wakeConsumers(deps.bus, position);
  return {};
}

/** Sets or removes a field that no room shows. M_NOT_FOUND, M_PROFILE_TOO_LARGE. */
export async function setProfileField(
  deps: Pick<SetProfileDeps, 'db'>,
  { userId, name, value }: FieldInput,
): Promise<Record<string, never>> {
  await transact(deps.db, async (trx) => {
    const before = await lockProfile(trx, userId);
    const others = Object.entries(before.fields).filter(([known]) => known !== name);
    const fields: JsonObject = Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
    await updateProfile(trx, userId, { ...before, fields });
  });
  return {};
}
