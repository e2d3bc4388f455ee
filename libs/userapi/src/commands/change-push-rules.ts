import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import type { JsonObject } from '@seneschal/matrix';

import { changeRule, putRule, removeRule } from '../push-rule-changes.ts';
import { changeAccountData } from '../storage/account-data.ts';
import { wakeConsumers } from '../storage/output.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.changePushRules.input>;

export interface ChangePushRulesDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Stored is what the user changed: rules that the server adds later hold for everybody. */
export async function changePushRules(
  deps: ChangePushRulesDeps,
  input: Input,
): Promise<Record<string, never>> {
  const key = { userId: input.userId, roomId: null, type: 'm.push_rules' };
  const position = await transact(deps.db, (trx) =>
    changeAccountData(trx, key, (old) => changed(input, old)),
  );
  wakeConsumers(deps.bus, position);
  return {};
}

function changed({ userId, change }: Input, old: JsonObject | undefined): JsonObject {
  const { kind, ruleId } = change;
  switch (change.do) {
    case 'put':
      return putRule(old, change);
    case 'remove':
      return removeRule(old, kind, ruleId);
    case 'enable':
      return changeRule(userId, old, { kind, ruleId, change: { enabled: change.enabled } });
    case 'act':
      return changeRule(userId, old, { kind, ruleId, change: { actions: change.actions } });
  }
}
