import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { isJsonObject, type JsonObject } from '@seneschal/matrix';

import { changeAccountData } from '../storage/account-data.ts';
import { wakeConsumers } from '../storage/output.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setRoomTag.input>;

export interface SetRoomTagDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Sets or removes one tag within the account data `m.tag` of a room (client-server API, "Room Tagging"). */
export async function setRoomTag(
  deps: SetRoomTagDeps,
  { userId, roomId, tag, content }: Input,
): Promise<Record<string, never>> {
  const position = await transact(deps.db, (trx) =>
    changeAccountData(trx, { userId, roomId, type: 'm.tag' }, (old) => changed(old, tag, content)),
  );
  wakeConsumers(deps.bus, position);
  return {};
}

function changed(old: JsonObject | undefined, tag: string, content: JsonObject | null): JsonObject {
  const tags = new Map(Object.entries(isJsonObject(old?.['tags']) ? old['tags'] : {}));
  if (content === null) tags.delete(tag);
  else tags.set(tag, content);
  return { ...old, tags: Object.fromEntries(tags) };
}
