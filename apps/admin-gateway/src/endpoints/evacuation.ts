import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { Job, JobItem, JobKind, JobReads, RoomserverForAdmin } from '@seneschal/contracts';
import type { Item, Jobs } from '@seneschal/jobs';

import { idempotencyKeyOf, type LongRequest, preferenceOf, type Rehearsal, rehearse } from '../long-call.ts';

export interface EvacuationDeps {
  bus: CallBus;
  jobs: Pick<Jobs, 'start' | 'wait' | 'record' | 'reads'>;
  roomserver: Pick<RoomserverForAdmin, 'occupants' | 'occupiedRooms' | 'remoteServers'>;
  config: Pick<Config, 'server_name' | 'job_wait' | 'evacuate_job_size'>;
}

/** What an evacuation came to, whether it was a command or a job. */
export interface Evacuation {
  affected: string[];
  failed: { item: string; reason: string }[];
}

/** What became of each item. */
export function itemsOf({ affected, failed }: Evacuation): Item[] {
  return [
    ...affected.map((item): Item => ({ item, state: 'done' })),
    ...failed.map(({ item, reason }): Item => ({ item, state: 'failed', reason })),
  ];
}

/** What an evacuation would write: a leave event, which is also an entry of the state, for each that is affected. */
export async function rehearseEvacuation(
  { jobs, roomserver }: Pick<EvacuationDeps, 'jobs' | 'roomserver'>,
  kind: Pick<JobKind, 'name'>,
  would: { affected: readonly string[]; failed: readonly unknown[]; bytes: number },
  of: { users: number; rooms: readonly string[] },
): Promise<Rehearsal> {
  const events = would.affected.length;
  const counts = {
    events,
    state: events,
    users: of.users,
    rooms: of.rooms.length,
    remote_servers: await roomserver.remoteServers(of.rooms),
    bytes: would.bytes,
  };
  return rehearse(jobs, kind, counts, events + would.failed.length);
}

const pageSize = 1000;

/** Whether an evacuation of so many is a job: when it is large, or when the caller asks for one. */
export function isJob(
  { config }: Pick<EvacuationDeps, 'config'>,
  request: LongRequest,
  size: number,
): boolean {
  const { isAsync } = preferenceOf(request, config.job_wait);
  return isAsync || idempotencyKeyOf(request) !== undefined || size > config.evacuate_job_size;
}

/** Reads what became of the items of a finished evacuation, page by page. */
export async function evacuationOf({ items }: Pick<JobReads, 'items'>, { jobId }: Job): Promise<Evacuation> {
  const all: JobItem[] = [];
  for (let from: string | undefined, isFirst = true; isFirst || from !== undefined; isFirst = false) {
    const page = await items(jobId, {}, { from, limit: pageSize });
    all.push(...page.rows);
    from = page.next;
  }
  return {
    affected: all.filter(({ state }) => state === 'done').map(({ item }) => item),
    failed: all
      .filter(({ state }) => state === 'failed')
      .map(({ item, reason }) => ({ item, reason: reason ?? '' })),
  };
}
