import { type JsonObject, type JsonValue, pushRuleKinds } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const actions = z.array(z.custom<JsonValue>((value) => value !== undefined));
const rule = z.object({ kind: z.enum(pushRuleKinds), ruleId: z.string() });

/**
 * Changes the push rules of a user by one rule. M_NOT_FOUND for a rule that is not there, M_UNKNOWN for a place
 * beside one that is not, M_TOO_LARGE for too many.
 */
export const changePushRules = command('userapi', 'changePushRules', {
  input: z.object({
    userId: z.string(),
    change: z.discriminatedUnion('do', [
      rule.extend({
        do: z.literal('put'),
        actions,
        conditions: z.array(jsonObject).optional(),
        pattern: z.string().optional(),
        before: z.string().optional(),
        after: z.string().optional(),
      }),
      rule.extend({ do: z.literal('remove') }),
      rule.extend({ do: z.literal('enable'), enabled: z.boolean() }),
      rule.extend({ do: z.literal('act'), actions }),
    ]),
  }),
  output: z.object({}),
});
