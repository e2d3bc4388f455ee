export { AuditLog, openAuditLog } from './audit-log.ts';
export { auditMigrations } from './migrations.ts';
export { auditReads, exportRows } from './reads.ts';
export { type Finding, type Verdict, verifyAuditLog } from './verify.ts';
