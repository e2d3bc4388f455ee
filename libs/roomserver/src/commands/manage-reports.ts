import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { ReportStatus, roomserver } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { invalidParam, type MatrixError, notFound } from '@seneschal/matrix';

import { lockReport, removeReport, setReport } from '../storage/reports.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type UpdateInput = z.infer<typeof roomserver.updateReport.input>;
type DeleteInput = z.infer<typeof roomserver.deleteReport.input>;

export interface ManageReportsDeps {
  db: Kysely<RoomserverTables>;
}

/** Changes status, assignee and note as far as they are given. M_NOT_FOUND, M_INVALID_PARAM. */
export async function updateReport(
  deps: ManageReportsDeps,
  input: UpdateInput,
): Promise<Record<string, never>> {
  await transact(deps.db, async (transaction) => {
    const before = await lockReport(transaction, input.reportId);
    if (before === undefined) throw noSuchReport();
    const assignee = input.assignee === undefined ? before.assignee : input.assignee;
    const status = input.status ?? statusWith(before.status, assignee);
    if (status === 'assigned' && assignee === null) {
      throw invalidParam('A report is assigned to somebody: name an assignee.');
    }
    await setReport(transaction, input.reportId, {
      status,
      assignee,
      note: input.note === undefined ? before.note : input.note,
      updated_by: input.updatedBy,
    });
  });
  return {};
}

/** Who is given a new report has it; one that nobody has is new again. What is resolved stays so. */
function statusWith(status: ReportStatus, assignee: string | null): ReportStatus {
  if (status === 'resolved') return status;
  return assignee === null ? 'new' : 'assigned';
}

export async function deleteReport(
  deps: ManageReportsDeps,
  { reportId, kind }: DeleteInput,
): Promise<Record<string, never>> {
  if (!(await removeReport(deps.db, reportId, kind))) throw noSuchReport();
  return {};
}

function noSuchReport(): MatrixError {
  return notFound('There is no such report.');
}
