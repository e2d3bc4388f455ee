import { federation, type UserapiForFederation } from '@seneschal/contracts';
import { handleJob, type Item, type JobHandler, type StepAnswer, type StepContext } from '@seneschal/jobs';
import { isMatrixError, serverNameOf } from '@seneschal/matrix';
import type { z } from 'zod';

type Change = z.infer<typeof federation.refreshDevices.output>;
type ManyContext = StepContext<z.infer<typeof federation.refreshManyDevicesJob.input>>;

export interface RefreshStepsDeps {
  /** Rejects with a MatrixError that says why the list could not be fetched. */
  refresh(userId: string): Promise<Change>;
}

export interface RefreshManyDeps extends RefreshStepsDeps {
  userapi: Pick<UserapiForFederation, 'remoteUsersOf'>;
}

/** Users of one step, fetched at the same time: a server that does not answer holds a step up, and no more. */
const pageSize = 16;

export function refreshDevicesSteps(deps: RefreshStepsDeps): JobHandler {
  return handleJob(federation.refreshDevicesJob, {
    fetch: async (context): Promise<StepAnswer> => {
      const { item, change } = await refreshOne(deps, context.input.userId);
      await context.commit(async () => ({
        items: [item],
        done: 1,
        total: 1,
        result: change === undefined ? {} : { ...change },
      }));
      return 'done';
    },
  });
}

export function refreshManyDevicesSteps(deps: RefreshManyDeps): JobHandler {
  return handleJob(federation.refreshManyDevicesJob, { fetch: (context) => refreshPage(deps, context) });
}

/** Once a server of the page has not answered, its other users fail with the same reason, unasked. */
async function refreshPage(deps: RefreshManyDeps, context: ManyContext): Promise<StepAnswer> {
  const page = await nextPage(deps, context);
  const firsts = new Map(page.map((userId) => [serverNameOf(userId) ?? '', userId]));
  const tried = new Map(
    await Promise.all(
      [...firsts].map(async ([server, userId]) => [server, (await refreshOne(deps, userId)).item] as const),
    ),
  );
  const items = await Promise.all(
    page.map(async (userId): Promise<Item> => {
      const first = tried.get(serverNameOf(userId) ?? '');
      if (first?.item === userId) return first;
      return first?.state === 'failed' ? { ...first, item: userId } : (await refreshOne(deps, userId)).item;
    }),
  );
  await context.commit(async () => ({ items, done: items.length, cursor: page.at(-1) ?? context.cursor }));
  return page.length < pageSize ? 'done' : 'again';
}

async function nextPage({ userapi }: RefreshManyDeps, { input, cursor }: ManyContext): Promise<string[]> {
  const after = typeof cursor === 'string' ? cursor : '';
  if ('serverName' in input) return userapi.remoteUsersOf(input.serverName, after, pageSize);
  return [...new Set(input.userIds)]
    .sort()
    .filter((userId) => userId > after)
    .slice(0, pageSize);
}

async function refreshOne(
  deps: RefreshStepsDeps,
  userId: string,
): Promise<{ item: Item; change: Change | undefined }> {
  try {
    return { item: { item: userId, state: 'done' }, change: await deps.refresh(userId) };
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    return { item: { item: userId, state: 'failed', reason: error.message }, change: undefined };
  }
}
