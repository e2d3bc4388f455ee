import type { AuditReads } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';
import type { Metrics } from '@seneschal/observability';
import { metricsEndpoint } from '@seneschal/service';

import { type AdminTokenDeps, createAdminToken, listAdminTokens, revokeAdminToken } from './admin-tokens.ts';
import type { Check } from '../../self-check/finding.ts';
import { audit, auditExport } from './audit.ts';
import { selfCheckEndpoint } from './self-check.ts';

export interface OperationsDeps extends AdminTokenDeps {
  audit: AuditReads;
  metrics: Metrics;
  checks: readonly Check[];
}

/** What those need who run the server, rather than its users and rooms. */
export function operationsEndpoints(deps: OperationsDeps): Endpoint[] {
  return [
    audit(deps),
    auditExport(deps),
    createAdminToken(deps),
    listAdminTokens(deps),
    revokeAdminToken(deps),
    selfCheckEndpoint(deps),
    metricsEndpoint(deps.metrics, { path: '/_seneschal/v1/metrics', access: 'admin' }),
  ];
}
