import { z } from 'zod';

import { type Job, purgeRoomJob, type RoomserverForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { invalidParam, isRoomId, MatrixError, notFound } from '@seneschal/matrix';

import { flag } from '../../flag.ts';
import {
  idempotencyKeyOf,
  longCall,
  longCallAnswers,
  type LongCallDeps,
  type Rehearsal,
  rehearsalAnswer,
  rehearse,
} from '../../long-call.ts';
import { type CountDeps, countRooms } from './count-rooms.ts';

export interface PurgeRoomDeps extends LongCallDeps, CountDeps {
  jobs: Pick<Jobs, 'start' | 'wait' | 'reads'>;
  roomserver: Pick<RoomserverForAdmin, 'isPurgeable'> & CountDeps['roomserver'];
}

/** Unlike other flags it is on unless it is turned off. */
export const flagOn = z
  .enum(['true', 'false'], 'is true or false')
  .default('true')
  .transform((value) => value === 'true');

/** Deletes a room with everything that names it. The body is not read. */
export const purgeRoom = (deps: PurgeRoomDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_dendrite/admin/purgeRoom/:roomId',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Deletes a room completely: from the database, the search index and every process',
    params: z.object({ roomId: z.string() }),
    query: z.object({ dry_run: flag, block: flag, export: flag, evacuate: flagOn }),
    answer: z.union([z.strictObject({}), rehearsalAnswer]),
    otherAnswers: longCallAnswers,
    handle: async (request) => {
      const { roomId } = request.params;
      if (!isRoomId(roomId)) throw invalidParam('That is not a room ID.');
      if (request.query.dry_run) return rehearsal(deps, roomId);
      // With a key the call may be the repetition of one that has deleted the room.
      if (idempotencyKeyOf(request) === undefined && !(await deps.roomserver.isPurgeable(roomId))) {
        throw notFound('There is no such room.');
      }
      const { block, evacuate, export: isExported } = request.query;
      const input = { roomId, block, evacuate, export: isExported };
      return longCall(deps, request, { kind: purgeRoomJob, input, answer: (job) => answerOf(deps, job) });
    },
  });

/** `{}` is said when it is true: a component that could not delete what it has is an error, with its name. */
async function answerOf({ jobs }: Pick<PurgeRoomDeps, 'jobs'>, { jobId, failedItems }: Job): Promise<object> {
  if (failedItems === 0) return {};
  const { rows } = await jobs.reads.items(jobId, { state: 'failed' }, { limit: 1 });
  const reason = rows[0]?.reason ?? 'A component could not delete what it has of the room.';
  throw new MatrixError(500, 'M_UNKNOWN', `The room is gone, but ${reason}`, { job_id: jobId });
}

async function rehearsal(deps: PurgeRoomDeps, roomId: string): Promise<Rehearsal> {
  const { rooms, ...counts } = await countRooms(deps, [roomId]);
  if (rooms === 0) throw notFound('There is no such room.');
  return rehearse(deps.jobs, purgeRoomJob, counts, counts.rows);
}
