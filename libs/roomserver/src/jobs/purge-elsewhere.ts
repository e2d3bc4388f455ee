import { z } from 'zod';

import { type PurgedPage, roomPurgers } from '@seneschal/contracts';
import type { Item, StepAnswer } from '@seneschal/jobs';
import { isMatrixError, MatrixError } from '@seneschal/matrix';

import { recordDeleted } from '../storage/deletions.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import {
  type Counts,
  deletionOf,
  minus,
  plus,
  type PurgeContext,
  type PurgeDeps,
  sum,
} from './purge-deps.ts';

const byComponent = z.record(z.string(), z.record(z.string(), z.number()));

/** What the phases tell each other of the other components. */
const outcome = z.object({
  /** What each had of the room when it was taken away. */
  elsewhere: byComponent.default({}),
  /** Those that could not delete what they have. */
  failing: z.array(z.string()).default([]),
});

const place = z.object({
  /** Components that are still to be asked; those that have failed once come after all others. */
  first: z.array(z.string()),
  again: z.array(z.string()),
  /** Where the page before ended, as the component says. */
  page: z.custom<PurgedPage['cursor']>(),
  /** What each is known to have still. */
  expected: byComponent,
});
type Place = z.infer<typeof place>;

const pageSize = 1000;
/** A component that is not there is not waited for where it is only to count. */
const countingMs = 10_000;

/** What the other components have of a room. Of one that cannot say it is nothing: it is asked again later. */
export async function countElsewhere(context: PurgeContext, roomId: string): Promise<Record<string, Counts>> {
  const found: Record<string, Counts> = {};
  for (const command of roomPurgers) {
    const input = { roomId, cursor: null, limit: pageSize, dryRun: true };
    const counted = await context.call(command, input, { timeoutMs: countingMs }).catch((error: unknown) => {
      context.logger.warn({ component: command.component, error }, 'a component cannot count what it has');
    });
    found[command.component] = counted?.rows ?? {};
  }
  return found;
}

/** The components that could not delete what they have of the room. */
export function failingOf({ result }: Pick<PurgeContext, 'result'>): readonly string[] {
  return outcome.parse(result).failing;
}

/**
 * Has a page of what other components keep of the room deleted, one component after the other. One that fails is
 * asked again when the others are done, later and later, and is a failed item of the job in the end.
 */
export async function deleteElsewhere(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { roomNid, roomId } = await deletionOf(deps, context);
  const at = context.cursor === null ? start(context) : place.parse(context.cursor);
  const component = at.first[0] ?? at.again[0];
  const command = roomPurgers.find((one) => one.component === component);
  if (command === undefined) return 'done';
  const input = { roomId, cursor: at.page, limit: pageSize, dryRun: false };
  const page = await context.call(command, input).catch((error: unknown) => failureOf(command, error));
  if (page instanceof MatrixError) {
    await passOver(context, at, command.component, page);
    return 'again';
  }
  const { deleted, next } = advance(at, command.component, page);
  const recovered = page.cursor === null ? recoveryOf(context, command.component) : undefined;
  await context.commit<RoomserverTables>(async (transaction) => {
    await recordDeleted(transaction, roomNid, deleted);
    // A retry takes what had failed off what is done.
    return { done: sum(deleted) + (recovered ? 1 : 0), left: leftOf(next), cursor: next, ...recovered };
  });
  return 'again';
}

function start(context: PurgeContext): Place {
  const { elsewhere, failing } = outcome.parse(context.result);
  const all: string[] = roomPurgers.map(({ component }) => component);
  return { first: failing.length > 0 ? failing : all, again: [], page: null, expected: elsewhere };
}

/** A component that has read in the log that the room is gone may have deleted something of itself: that counts. */
function advance(at: Place, component: string, page: PurgedPage): { deleted: Counts; next: Place } {
  const rest = minus(at.expected[component] ?? {}, page.rows);
  if (page.cursor === null) {
    const next = { ...without(at, component), expected: { ...at.expected, [component]: {} } };
    return { deleted: plus(page.rows, rest), next };
  }
  const next = { ...at, page: page.cursor, expected: { ...at.expected, [component]: rest } };
  return { deleted: page.rows, next };
}

function leftOf({ expected }: Place): number {
  return Object.values(expected).reduce((all, counts) => all + sum(counts), 0);
}

function without(at: Place, component: string): Place {
  const others = (all: readonly string[]): string[] => all.filter((one) => one !== component);
  return { ...at, first: others(at.first), again: others(at.again), page: null };
}

function failureOf({ component }: { component: string }, error: unknown): MatrixError {
  const reason = isMatrixError(error) ? error.message : 'it cannot be asked.';
  return new MatrixError(503, 'M_UNKNOWN', `${component} cannot delete what it has of the room: ${reason}`);
}

/** The first time the others come first; then the step fails, and is done again, until it has failed for good. */
async function passOver(
  context: PurgeContext,
  at: Place,
  component: string,
  error: MatrixError,
): Promise<void> {
  const next = without(at, component);
  if (at.first.includes(component)) {
    context.logger.warn({ component, reason: error.message }, 'a component fails to forget a room');
    await context.commit(async () => ({ cursor: { ...next, again: [...next.again, component] } }));
    return;
  }
  if (!context.isLastAttempt) throw error;
  const failing = [...new Set([...failingOf(context), component])];
  const items: Item[] = [{ item: component, state: 'failed', reason: error.message }];
  await context.commit(async () => ({ cursor: next, items, result: { failing } }));
}

/** What makes up for a failure of which the job has told. */
function recoveryOf(
  context: PurgeContext,
  component: string,
): { items: Item[]; result: { failing: string[] } } | undefined {
  const failing = failingOf(context);
  if (!failing.includes(component)) return undefined;
  return {
    items: [{ item: component, state: 'done' }],
    result: { failing: failing.filter((one) => one !== component) },
  };
}
