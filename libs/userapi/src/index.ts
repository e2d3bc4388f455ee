export { startUserapi, type UserapiDeps } from './component.ts';
export { checkLocalpart } from './localparts.ts';
export { hashPassword } from './passwords/passwords.ts';
export { noticesUserId, sendNotice, type SendNoticeDeps } from './notices/send-notice.ts';
export { checkPasswordRules } from './passwords/rules.ts';
export { defaultPushRules } from './push-rules.ts';
export { userapiReads, type UserapiReads } from './reads.ts';
export { userapiMigrations } from './storage/migrations/index.ts';
