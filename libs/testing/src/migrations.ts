import { auditMigrations } from '@seneschal/audit';
import type { Migrations } from '@seneschal/database';
import { federationMigrations } from '@seneschal/federation';
import { jobsMigrations } from '@seneschal/jobs';
import { roomserverMigrations } from '@seneschal/roomserver';
import { searchMigrations } from '@seneschal/search';
import { syncapiMigrations } from '@seneschal/syncapi';
import { userapiMigrations } from '@seneschal/userapi';
import { webhooksMigrations } from '@seneschal/webhooks';

/** The tables of a whole homeserver. */
export const allMigrations: Record<string, Migrations> = {
  audit: auditMigrations,
  userapi: userapiMigrations,
  roomserver: roomserverMigrations,
  syncapi: syncapiMigrations,
  search: searchMigrations,
  jobs: jobsMigrations,
  federation: federationMigrations,
  webhooks: webhooksMigrations,
};
