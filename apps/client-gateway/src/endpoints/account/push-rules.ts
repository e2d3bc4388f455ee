import { z } from 'zod';

import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { isJsonObject, type JsonObject, notFound, own } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { jsonObject, text } from './schemas.ts';

interface ReadDeps {
  userapi: Pick<AccountDeps['userapi'], 'accountData'>;
}

export const pushRules = (deps: ReadDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: [...clientPaths('/pushrules/'), ...clientPaths('/pushrules')],
    access: 'user',
    rateLimit: 'read',
    summary: 'The push rules of the user',
    answer: z.object({ global: jsonObject }),
    handle: async ({ requester }) => ({ global: await globalRules(deps, requester.userId) }),
  });

export const globalPushRules = (deps: ReadDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: [...clientPaths('/pushrules/global/'), ...clientPaths('/pushrules/global')],
    access: 'user',
    rateLimit: 'read',
    summary: 'The push rules of the user that hold everywhere',
    answer: jsonObject,
    handle: ({ requester }) => globalRules(deps, requester.userId),
  });

export const pushRule = (deps: ReadDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/pushrules/global/:kind/:ruleId'),
    access: 'user',
    rateLimit: 'read',
    summary: 'One push rule',
    params: z.object({ kind: text(), ruleId: text() }),
    answer: jsonObject,
    handle: ({ requester, params }) => findPushRule(deps, requester.userId, params),
  });

/** Throws M_NOT_FOUND. */
export async function findPushRule(
  deps: ReadDeps,
  userId: string,
  { kind, ruleId }: { kind: string; ruleId: string },
): Promise<JsonObject> {
  const rules = own(await globalRules(deps, userId), kind);
  const found = Array.isArray(rules) ? rules.find((rule) => own(rule, 'rule_id') === ruleId) : undefined;
  if (!isJsonObject(found)) throw notFound('There is no such push rule.');
  return found;
}

async function globalRules({ userapi }: ReadDeps, userId: string): Promise<JsonObject> {
  const rules = (await userapi.accountData(userId, null, 'm.push_rules'))?.['global'];
  return isJsonObject(rules) ? rules : {};
}
