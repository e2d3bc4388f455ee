import { z } from 'zod';

import { exportRows } from '@seneschal/audit';
import { auditEntry, type AuditReads, type AuditRow } from '@seneschal/contracts';
import { endpoint, type Endpoint, Reply } from '@seneschal/http';

export interface AuditDeps {
  audit: AuditReads;
}

const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number);

const filter = {
  actor: z.string().optional(),
  action: z.string().optional(),
  target: z.string().optional(),
  status: z
    .string()
    .regex(/^[1-5]\d\d$/, 'is not a status of HTTP')
    .transform(Number)
    .optional(),
  since: wholeNumber.optional(),
  until: wholeNumber.optional(),
};

const row = auditEntry.extend({ position: z.number(), hash: z.string() });

/** The audit log, newest first unless asked otherwise; `next_token` is there while there is more. */
export const audit = (deps: AuditDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_seneschal/v1/audit',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'Admin calls: who did what to what, why, and what came of it',
    query: z.object({
      ...filter,
      from: wholeNumber.optional(),
      limit: wholeNumber.default(100).transform((limit) => Math.min(Math.max(limit, 1), 1000)),
      dir: z.enum(['f', 'b'], 'is f (oldest first) or b (newest first)').default('b'),
    }),
    answer: z.object({
      entries: z.array(row),
      next_token: z.string().optional(),
      head: z.object({ position: z.number(), hash: z.string() }),
    }),
    handle: async ({ query: { from, limit, dir, ...wanted } }) => {
      const head = await deps.audit.head();
      const rows = await deps.audit.page(wanted, { from, limit, newestFirst: dir === 'b' });
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return {
        entries: rows.map(shown),
        ...(last === undefined ? {} : { next_token: String(last.position) }),
        head,
      };
    },
  });

/** All rows of a filter, oldest first, one JSON object a line, read as the client takes them. */
export const auditExport = (deps: AuditDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_seneschal/v1/audit/export',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The audit log as newline-delimited JSON, oldest first',
    query: z.object(filter),
    answer: z.object({}),
    produces: 'application/x-ndjson',
    handle: async ({ query }) =>
      new Reply(200, lines(deps.audit, query), {
        'Content-Disposition': 'attachment; filename="audit.ndjson"',
      }),
  });

async function* lines(reads: AuditReads, wanted: Parameters<AuditReads['page']>[0]): AsyncGenerator<string> {
  for await (const one of exportRows(reads, wanted)) yield `${JSON.stringify(shown(one))}\n`;
}

function shown({ position, hash, entry }: AuditRow): z.infer<typeof row> {
  return { position, ...entry, hash };
}
