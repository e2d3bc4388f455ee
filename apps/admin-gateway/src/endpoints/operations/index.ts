import type { AuditReads } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';

import { audit, auditExport } from './audit.ts';

export interface OperationsDeps {
  audit: AuditReads;
}

/** What those need who run the server, rather than its users and rooms. */
export function operationsEndpoints(deps: OperationsDeps): Endpoint[] {
  return [audit(deps), auditExport(deps)];
}
