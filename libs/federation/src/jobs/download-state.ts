import type { z } from 'zod';

import { federation } from '@seneschal/contracts';
import { handleJob, type Item, type JobHandler, type StepContext } from '@seneschal/jobs';
import { isMatrixError } from '@seneschal/matrix';

import { downloadState, type DownloadStateDeps } from '../commands/download-state.ts';

type Context = StepContext<z.infer<typeof federation.downloadStateJob.input>>;
type Downloaded = z.infer<typeof federation.rehearseDownload.output>;

/** One step: what a crash interrupts is asked for again, and changes nothing that has changed already. */
export function downloadStateSteps(deps: DownloadStateDeps): JobHandler {
  return handleJob(federation.downloadStateJob, {
    download: async (context) => {
      const downloaded = await tryToDownload(deps, context);
      if (typeof downloaded === 'string') {
        const item = { item: context.input.serverName, state: 'failed' as const, reason: downloaded };
        await context.commit({ items: [item], done: 1, total: 1 });
        return 'done';
      }
      const items = itemsOf(downloaded);
      await context.commit({
        ...{ items, done: items.length, total: items.length },
        result: {
          changes: downloaded.changes.length,
          dropped: downloaded.dropped.length,
          newEvents: downloaded.newEvents,
          asked: downloaded.asked,
          notTold: downloaded.notTold,
        },
      });
      return 'done';
    },
  });
}

/** Why the other server told nothing, when it did not: that is no fault of the job, which is then over. */
async function tryToDownload(deps: DownloadStateDeps, { input }: Context): Promise<Downloaded | string> {
  try {
    return await downloadState(deps, { ...input, isRehearsal: false });
  } catch (error) {
    if (isMatrixError(error) && error.status === 502) return error.message;
    throw error;
  }
}

function itemsOf({ changes, dropped }: Downloaded): Item[] {
  const items = changes.map(({ type, stateKey, before, after }): Item => ({
    item: stateKey === '' ? type : `${type} ${stateKey}`,
    state: 'done',
    reason: `${before ?? 'nothing'} → ${after ?? 'nothing'}`,
  }));
  // One event may be told of at several forward extremities.
  const reasons = new Map(dropped.map(({ eventId, reason }) => [eventId, reason]));
  return [...items, ...[...reasons].map(([item, reason]): Item => ({ item, state: 'skipped', reason }))];
}
