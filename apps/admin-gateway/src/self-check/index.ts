import { auditMigrations } from '@seneschal/audit';
import { type Bus, busMigrations } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { Database, Migrations } from '@seneschal/database';
import { federationMigrations } from '@seneschal/federation';
import { jobsMigrations, lateJobs } from '@seneschal/jobs';
import { roomserverMigrations } from '@seneschal/roomserver';
import { searchMigrations } from '@seneschal/search';
import { syncapiMigrations } from '@seneschal/syncapi';
import { userapiMigrations } from '@seneschal/userapi';
import { webhooksMigrations } from '@seneschal/webhooks';

import { access } from './access.ts';
import { clock } from './clock.ts';
import { federation } from './federation.ts';
import type { Check } from './finding.ts';
import { postgresql } from './postgresql.ts';
import { redis } from './redis.ts';
import { search, type SearchDeps } from './search.ts';
import { secrets } from './secrets.ts';
import { tables } from './tables.ts';
import { work } from './work.ts';

export interface SelfCheckDeps extends SearchDeps {
  config: Config;
  database: Database;
  bus: Pick<Bus, 'redis' | 'backlog' | 'lag'>;
}

const migrations: ReadonlyMap<string, Migrations> = new Map([
  ['audit', auditMigrations],
  ['bus', busMigrations],
  ['federation', federationMigrations],
  ['jobs', jobsMigrations],
  ['roomserver', roomserverMigrations],
  ['search', searchMigrations],
  ['syncapi', syncapiMigrations],
  ['userapi', userapiMigrations],
  ['webhooks', webhooksMigrations],
]);

/** Everything that the self-check looks at. */
export function checksOf({ config, database, bus, ...reads }: SelfCheckDeps): Check[] {
  const db = database.tables<unknown>();
  return [
    access(config),
    secrets(config),
    clock({ db, redis: bus.redis }),
    redis(bus.redis),
    postgresql(db),
    tables({ db, migrations }),
    work({ bus, lateJobs: (lateMs) => lateJobs(database.tables(), lateMs) }),
    search(reads),
    federation(config),
  ];
}
