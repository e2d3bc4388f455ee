import { z } from 'zod';

const maximumLimit = 1000;

/** How many entries a page has at the most; never more than 1,000. */
export const limit = z
  .string()
  .regex(/^\d{1,9}$/, 'is not a whole number')
  .transform((text) => Math.min(Number(text), maximumLimit));

/** As `limit`, 100 when it is not given. */
export const limitOr100 = limit.default(100);

/** The `next_token` of the page before, where that is a number. */
export const from = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .optional();
