import type { Bus } from '@seneschal/bus';
import { eventLogs } from '@seneschal/contracts';
import type { LateJobs } from '@seneschal/jobs';

import { type Check, type Finding, seconds } from './finding.ts';

export interface WorkDeps {
  bus: Pick<Bus, 'backlog' | 'lag'>;
  /** Jobs that should have been run for so long. */
  lateJobs: (lateMs: number) => Promise<LateJobs[]>;
}

const lateJobMs = 60_000;
const lateCommandMs = 30_000;
const lateFactMs = 60_000;

/** Whether everything that is to be done is being done. */
export function work({ bus, lateJobs }: WorkDeps): Check {
  return {
    name: 'work',
    run: async () => {
      const [jobs, backlog, ...lags] = await Promise.all([
        lateJobs(lateJobMs),
        bus.backlog(),
        ...eventLogs.map((log) => bus.lag(log)),
      ]);
      return [
        ...jobs.map(lateJob),
        ...backlog.filter(({ oldestMs }) => oldestMs > lateCommandMs).map(waitingCommands),
        ...lags
          .flat()
          .filter(({ ms }) => ms > lateFactMs)
          .map(laggingConsumer),
      ];
    },
  };
}

function lateJob({ kind, component, count, ms, jobId }: LateJobs): Finding {
  return {
    id: 'late_job',
    severity: 'warning',
    subject: kind,
    meaning: `${count} of the jobs ${kind} should have been run for up to ${seconds(ms)} (the first is ${jobId}): no worker takes them up.`,
    remedy: `Start a worker with the component ${component}, or raise job_concurrency where its workers are busy with other jobs.`,
  };
}

function waitingCommands({
  component,
  waiting,
  oldestMs,
}: Awaited<ReturnType<Bus['backlog']>>[number]): Finding {
  return {
    id: 'commands_wait',
    severity: 'critical',
    subject: component,
    meaning: `${waiting} commands of ${component} wait, the oldest for ${seconds(oldestMs)}: no worker takes them up, or not enough of them.`,
    remedy: `Start a worker with the component ${component}, and look at the logs of those that run.`,
  };
}

function laggingConsumer({ consumer, log, facts, ms }: Awaited<ReturnType<Bus['lag']>>[number]): Finding {
  return {
    id: 'consumer_lags',
    severity: 'warning',
    subject: consumer,
    meaning: `${consumer} has not applied ${facts} facts of ${log}, the oldest for ${seconds(ms)}: what follows from them has not happened.`,
    remedy: `Look for "a consumer could not apply its batch" in the logs of the workers with the component ${consumer.split('-')[0] ?? ''}, or start one.`,
  };
}
