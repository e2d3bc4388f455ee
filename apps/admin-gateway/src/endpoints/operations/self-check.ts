import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { type Check, severities } from '../../self-check/finding.ts';
import { selfCheck } from '../../self-check/self-check.ts';

const finding = z.object({
  id: z.string(),
  severity: z.enum(severities),
  subject: z.string().optional(),
  meaning: z.string(),
  remedy: z.string(),
});

/** What is misconfigured or stands still, in words. It looks and changes nothing. */
export const selfCheckEndpoint = (deps: { checks: readonly Check[] }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_seneschal/v1/self-check',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'What is misconfigured or stands still, what it means and what to do about it',
    answer: z.object({
      status: z.enum(['ok', ...severities]),
      checks: z.array(z.string()),
      findings: z.array(finding),
    }),
    handle: async (request) =>
      selfCheck(deps.checks, { ip: request.ip, header: (name) => request.header(name) }),
  });
