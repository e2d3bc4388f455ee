import { z } from 'zod';

/** `?name=true` or `?name=false`; anything else is refused, so that no misspelt rehearsal is the real thing. */
export const flag = z
  .enum(['true', 'false'], 'is true or false')
  .default('false')
  .transform((value) => value === 'true');
