import { z } from 'zod';

import type { JsonSchema } from './types.ts';

/**
 * The JSON Schema (draft 2020-12) of what a schema takes or gives. Answers may get more fields in time, so
 * no object is closed. What JSON Schema cannot say is left open.
 */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    cycles: 'throw',
    override: ({ jsonSchema: one }) => {
      if (one.additionalProperties === false) delete one.additionalProperties;
    },
  });
  return rest;
}
