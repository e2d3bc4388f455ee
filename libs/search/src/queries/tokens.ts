import { z } from 'zod';

import type { SearchOrder } from '@seneschal/contracts';
import { invalidParam } from '@seneschal/matrix';

const position = z.int().min(0);

const tokenShape = z.strictObject({
  order: z.enum(['rank', 'recent']),
  /** The last position that is looked at: later events come on no further page. */
  upTo: position,
  /** By rank, how many hits the earlier pages have used up. */
  offset: position,
  /** The room or the sender whose results alone are wanted. */
  group: z.object({ key: z.enum(['room_id', 'sender']), value: z.string() }).optional(),
});

/** Where a page starts. Whoever changes one sees nothing more by it: what may be seen is decided on each page. */
export type PageToken = z.infer<typeof tokenShape>;

export function formatToken(token: PageToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Throws M_INVALID_PARAM for what is no token of a search in this order. */
export function parseToken(text: string, order: SearchOrder): PageToken {
  const parsed = tokenShape.safeParse(jsonOf(text));
  if (!parsed.success || parsed.data.order !== order) {
    throw invalidParam('next_batch is no token of a search in this order.');
  }
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
