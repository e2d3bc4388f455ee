import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { Job, JobKind, RoomserverForAdmin } from '@seneschal/contracts';
import type { Reply } from '@seneschal/http';
import type { Item, Jobs } from '@seneschal/jobs';

import {
  idempotencyKeyOf,
  longCall,
  type LongRequest,
  preferenceOf,
  type Rehearsal,
  rehearse,
  shortCall,
} from '../long-call.ts';

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

export interface EvacuationCall<Input extends object> {
  kind: JobKind<Input>;
  input: Input;
  /** How many users, or rooms, there are. */
  size: number;
  /** Does it at once. */
  run: () => Promise<Evacuation>;
  toAnswer: (evacuation: Evacuation) => object;
}

/** Answers an evacuation: done at once, or as a job when it is large or the caller asks for one. */
export async function evacuate<Input extends object>(
  deps: EvacuationDeps,
  request: LongRequest,
  { kind, input, size, run, toAnswer }: EvacuationCall<Input>,
): Promise<Reply> {
  if (isJob(deps, request, size)) {
    const answer = async ({ jobId }: Job): Promise<object> => {
      const { done, failed } = await deps.jobs.reads.outcome(jobId);
      return toAnswer({ affected: done, failed });
    };
    return longCall(deps, request, { kind, input, answer });
  }
  const runAtOnce = async (): Promise<{ body: object; items: Item[] }> => {
    const evacuation = await run();
    return { body: toAnswer(evacuation), items: itemsOf(evacuation) };
  };
  return shortCall(deps, request, { kind, input, run: runAtOnce });
}

/** What became of each item. */
function itemsOf({ affected, failed }: Evacuation): Item[] {
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

function isJob({ config }: Pick<EvacuationDeps, 'config'>, request: LongRequest, size: number): boolean {
  const { isAsync } = preferenceOf(request, config.job_wait);
  return isAsync || idempotencyKeyOf(request) !== undefined || size > config.evacuate_job_size;
}
