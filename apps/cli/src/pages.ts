import type { Prepared } from './call.ts';
import type { Client } from './client.ts';

/** The names under which answers say where the next page begins. */
const nextNames = ['next_batch', 'next_token'];

/** All pages of a list as one answer: the lists one after another, and everything else of the last page. */
export async function allPages(client: Client, { method, path, query }: Prepared): Promise<unknown> {
  const lists: Record<string, unknown[]> = {};
  const seen = new Set<string>();
  for (let from: string | undefined; ;) {
    const { body } = await client.call(method, path, {
      query: { ...query, ...(from === undefined ? {} : { from }) },
    });
    const page = body as Record<string, unknown>;
    for (const [name, value] of Object.entries(page)) {
      if (Array.isArray(value)) lists[name] = [...(lists[name] ?? []), ...(value as unknown[])];
    }
    from = nextOf(page);
    if (from === undefined || seen.has(from)) return { ...withoutNext(page), ...lists };
    seen.add(from);
  }
}

/** Where the next page begins; undefined after the last one. */
export function nextOf(page: unknown): string | undefined {
  if (typeof page !== 'object' || page === null) return undefined;
  const next = nextNames
    .map((name) => (page as Record<string, unknown>)[name])
    .find((one) => one !== undefined);
  return typeof next === 'string' || typeof next === 'number' ? String(next) : undefined;
}

export function withoutNext(page: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(page).filter(([name]) => !nextNames.includes(name)));
}
