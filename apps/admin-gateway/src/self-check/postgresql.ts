import { type Kysely, sql } from 'kysely';

import type { Check, Finding } from './finding.ts';

/** The share of connections in use from which on new ones are scarce. */
const almostAll = 0.9;

interface Facts {
  fsync: string;
  fullPageWrites: string;
  used: number;
  most: number;
}

/** Whether PostgreSQL keeps what it is given, and has connections left. */
export function postgresql(db: Kysely<unknown>, scarceFrom = almostAll): Check {
  return {
    name: 'postgresql',
    run: async () => {
      const found = await sql<Facts>`
        SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites",
          (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
          current_setting('max_connections')::int AS most
      `.execute(db);
      return found.rows.flatMap((facts) => [...durability(facts), ...connections(facts, scarceFrom)]);
    },
  };
}

function durability({ fsync, fullPageWrites }: Facts): Finding[] {
  const off = [fsync === 'off' ? 'fsync' : '', fullPageWrites === 'off' ? 'full_page_writes' : ''];
  const names = off.filter(Boolean).join(' and ');
  if (names === '') return [];
  return [
    {
      id: 'postgresql_not_durable',
      severity: 'critical',
      subject: names,
      meaning: `PostgreSQL has ${names} off: when its machine crashes the whole database may be lost.`,
      remedy: `Set ${names} to on in postgresql.conf and reload it. They are off by default nowhere.`,
    },
  ];
}

function connections({ used, most }: Facts, scarceFrom: number): Finding[] {
  if (used < most * scarceFrom) return [];
  return [
    {
      id: 'postgresql_connections',
      severity: 'warning',
      meaning: `${used} of PostgreSQL's ${most} connections are in use: processes that start now may get none.`,
      remedy: 'Raise max_connections, or lower database_connections, which each process has for itself.',
    },
  ];
}
