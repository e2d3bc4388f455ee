import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { notFound } from '@seneschal/matrix';

import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setProfile.input>;

export interface SetProfileDeps {
  db: UserapiDb;
}

/** Sets what is given of a profile; null empties it. M_NOT_FOUND when there is no such account. */
export async function setProfile(deps: SetProfileDeps, input: Input): Promise<Record<string, never>> {
  const updated = await deps.db
    .updateTable('userapi_profiles')
    .set({
      ...(input.displayname === undefined ? {} : { displayname: input.displayname }),
      ...(input.avatarUrl === undefined ? {} : { avatar_url: input.avatarUrl }),
      user_id: input.userId,
    })
    .where('user_id', '=', input.userId)
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) throw notFound('There is no such account.');
  return {};
}
