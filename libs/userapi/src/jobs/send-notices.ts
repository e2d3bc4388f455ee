import { type userapi } from '@seneschal/contracts';
import type { Item, StepAnswer, StepContext } from '@seneschal/jobs';
import { isMatrixError } from '@seneschal/matrix';
import type { z } from 'zod';

import { sendNotice, type SendNoticeDeps } from '../notices/send-notice.ts';
import { countNoticeUsers, selectNoticeUsers } from '../storage/notice-users.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.sendNotices.input>;
type Context = StepContext<Input>;

export interface SendNoticesDeps extends SendNoticeDeps {
  db: UserapiDb;
}

const second = 1000;
/** A step has ended by then, whatever the rate: the next one is a second later. */
const longestStepMs = 3000;

/**
 * Sends the notice to the next users, as many as may be sent in a second, and comes back a second later. What
 * is sent to a user belongs to the job: a step that is repeated after a crash sends nothing twice. Who cannot
 * be reached is a result, and stops no other.
 */
export async function sendNotices(deps: SendNoticesDeps, context: Context): Promise<StepAnswer> {
  const started = Date.now();
  const { perSecond, audience } = context.input;
  const after = typeof context.cursor === 'string' ? context.cursor : undefined;
  const users = await nextUsers(deps, context, after, perSecond);
  const items: Item[] = [];
  for (const userId of users) {
    if (context.signal.aborted || Date.now() - started > longestStepMs) break;
    items.push(await notify(deps, context, userId));
  }
  const total = after === undefined && !context.isRetry ? { total: await totalOf(deps, audience) } : {};
  const last = items.at(-1)?.item;
  await context.commit(async () => ({
    items,
    done: items.length,
    ...total,
    ...(last === undefined ? {} : { cursor: last }),
  }));
  if (users.length < perSecond && items.length === users.length) return 'done';
  return { waitMs: Math.max(0, started + second - Date.now()) };
}

/** Named users are all dealt with, so that those who are not there have their result too. */
async function nextUsers(
  deps: SendNoticesDeps,
  context: Context,
  after = '',
  limit: number,
): Promise<string[]> {
  const { audience } = context.input;
  if (context.isRetry) return context.itemsToRetry(after, limit);
  if (audience.to === 'matching') return selectNoticeUsers(deps.db, audience, { after, limit });
  const named = [...new Set(audience.userIds)].sort();
  return named.filter((userId) => userId > after).slice(0, limit);
}

async function totalOf(deps: SendNoticesDeps, audience: Input['audience']): Promise<number> {
  return audience.to === 'users' ? new Set(audience.userIds).size : countNoticeUsers(deps.db, audience);
}

async function notify(deps: SendNoticesDeps, context: Context, userId: string): Promise<Item> {
  const transaction = { deviceId: 'job', transactionId: context.jobId };
  try {
    await sendNotice(deps, { ...context.input.notice, userId, transaction });
    return { item: userId, state: 'done' };
  } catch (error) {
    // A queue that cannot be reached is no matter of this user: the step is done again.
    if (!isMatrixError(error) || error.status >= 500) throw error;
    return { item: userId, state: 'failed', reason: error.message };
  }
}
