import type { Prepared } from './call.ts';
import type { Client } from './client.ts';
import { Refused, usage } from './exit-codes.ts';
import type { Host } from './host.ts';
import { askYes } from './input.ts';
import type { CliOperation } from './operations.ts';
import { count } from './text.ts';

/** What destroys more than this asks first. */
const few = 3;

/**
 * Asks before a call that destroys something does so to many: as many targets, or as many users, rooms or sessions
 * as its rehearsal finds. Throws where nobody can be asked, and when the answer is no.
 */
export async function confirm(
  host: Host,
  client: Client,
  operation: CliOperation,
  calls: readonly Prepared[],
): Promise<void> {
  const many =
    calls.length > few ? `${count(calls.length)} targets` : await rehearsed(client, operation, calls);
  if (many === undefined) return;
  const name = `${operation.noun} ${operation.verb}`;
  if (host.stdin.isTTY !== true) {
    throw usage(`${name} is about ${many}. Say --yes if that is meant, or look first with --dry-run.`);
  }
  if (!(await askYes(host, `${name}: ${many}. Go on?`))) throw usage('Nothing was done.');
}

/** What the rehearsals count, in words, when that is more than a few. */
async function rehearsed(
  client: Client,
  operation: CliOperation,
  calls: readonly Prepared[],
): Promise<string | undefined> {
  if (operation.rehearsal === undefined) return undefined;
  const totals = new Map<string, number>();
  for (const call of calls) {
    const { method, path, query, body } = asRehearsal(operation, call);
    try {
      const answer = await client.call(method, path, { query, ...(body === undefined ? {} : { body }) });
      for (const [what, number] of counted(answer.body)) totals.set(what, (totals.get(what) ?? 0) + number);
    } catch (error) {
      // The call itself will say what is wrong.
      if (!(error instanceof Refused)) throw error;
    }
  }
  if (Math.max(0, ...totals.values()) <= few) return undefined;
  const words = [...totals].filter(([, number]) => number > 0);
  return words.map(([what, number]) => `${count(number)} ${what}`).join(', ');
}

const countable = new Set(['users', 'rooms', 'events']);

function counted(answer: unknown): [string, number][] {
  const {
    affected,
    counts,
    sessions_ended: sessions,
  } = answer as {
    affected?: unknown[];
    counts?: Record<string, number>;
    sessions_ended?: number;
  };
  if (affected !== undefined)
    return [[affected[0]?.toString().startsWith('@') === true ? 'users' : 'rooms', affected.length]];
  if (sessions !== undefined) return [['sessions', sessions]];
  return Object.entries(counts ?? {}).filter(([what]) => countable.has(what));
}

/** The same call as a rehearsal; for those that know one. */
export function asRehearsal({ rehearsal }: CliOperation, call: Prepared): Prepared {
  if (rehearsal === 'query') return { ...call, query: { ...call.query, dry_run: 'true' } };
  return { ...call, body: { ...(call.body as object), dry_run: true } };
}
