import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import {
  invalidParam,
  isJsonObject,
  type JsonValue,
  missingParam,
  own,
  pushRuleKinds,
} from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { findPushRule } from './push-rules.ts';
import { empty, jsonObject, optional, text } from './schemas.ts';

const path = clientPaths('/pushrules/global/:kind/:ruleId');
const params = z.object({ kind: z.enum(pushRuleKinds), ruleId: text() });
const action = z.custom<JsonValue>(
  (value) => typeof value === 'string' || (isJsonObject(value) && typeof value['set_tweak'] === 'string'),
  'is no action',
);
const actions = z.array(action).max(50);
const write = { access: 'user', rateLimit: 'write', params, answer: empty } as const;

/** `PUT /pushrules/global/{kind}/{ruleId}`. */
export const putPushRule = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    ...write,
    summary: 'Make or replace a push rule',
    query: z.object({ before: text().optional(), after: text().optional() }),
    body: z.object({
      actions,
      conditions: optional(z.array(jsonObject).max(100)),
      pattern: optional(text()),
    }),
    handle: async ({ requester: { userId }, params, query, body }) => {
      const { kind, ruleId } = params;
      if (ruleId.startsWith('.') || /[/\\]/.test(ruleId)) throw invalidParam('That is no ID for a rule.');
      if (kind === 'content' && body.pattern === undefined)
        throw missingParam('A content rule has a pattern.');
      const parts = {
        actions: body.actions,
        ...(kind === 'content' ? { pattern: body.pattern } : {}),
        ...(kind === 'override' || kind === 'underride' ? { conditions: body.conditions ?? [] } : {}),
      };
      await deps.bus.call(userapi.changePushRules, {
        userId,
        change: { do: 'put', kind, ruleId, ...parts, ...query },
      });
      return {};
    },
  });

/** `DELETE /pushrules/global/{kind}/{ruleId}`. */
export const deletePushRule = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path,
    ...write,
    summary: 'Delete a push rule',
    handle: async ({ requester: { userId }, params }) => {
      await deps.bus.call(userapi.changePushRules, { userId, change: { do: 'remove', ...params } });
      return {};
    },
  });

/** `PUT /pushrules/global/{kind}/{ruleId}/enabled` and `…/actions`. */
export const changePushRule = (deps: Pick<AccountDeps, 'bus'>): Endpoint[] => [
  endpoint({
    method: 'PUT',
    path: clientPaths('/pushrules/global/:kind/:ruleId/enabled'),
    ...write,
    summary: 'Turn a push rule on or off',
    body: z.object({ enabled: z.boolean() }),
    handle: async ({ requester: { userId }, params, body: { enabled } }) => {
      await deps.bus.call(userapi.changePushRules, { userId, change: { do: 'enable', enabled, ...params } });
      return {};
    },
  }),
  endpoint({
    method: 'PUT',
    path: clientPaths('/pushrules/global/:kind/:ruleId/actions'),
    ...write,
    summary: 'Set what a push rule does',
    body: z.object({ actions }),
    handle: async ({ requester: { userId }, params, body }) => {
      await deps.bus.call(userapi.changePushRules, { userId, change: { do: 'act', ...body, ...params } });
      return {};
    },
  }),
];

/** `GET /pushrules/global/{kind}/{ruleId}/enabled` and `…/actions`. */
export const pushRuleParts = (deps: { userapi: Pick<AccountDeps['userapi'], 'accountData'> }): Endpoint[] => [
  endpoint({
    method: 'GET',
    path: clientPaths('/pushrules/global/:kind/:ruleId/enabled'),
    access: 'user',
    rateLimit: 'read',
    summary: 'Whether a push rule is on',
    params,
    answer: z.object({ enabled: z.boolean() }),
    handle: async ({ requester, params }) => {
      const rule = await findPushRule(deps, requester.userId, params);
      return { enabled: own(rule, 'enabled') !== false };
    },
  }),
  endpoint({
    method: 'GET',
    path: clientPaths('/pushrules/global/:kind/:ruleId/actions'),
    access: 'user',
    rateLimit: 'read',
    summary: 'What a push rule does',
    params,
    answer: z.object({ actions: z.array(z.unknown()) }),
    handle: async ({ requester, params }) => {
      const actions = own(await findPushRule(deps, requester.userId, params), 'actions');
      return { actions: Array.isArray(actions) ? actions : [] };
    },
  }),
];
