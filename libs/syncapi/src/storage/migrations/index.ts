import type { Migrations } from '@seneschal/database';

import { filters } from './0001-filters.ts';
import { connections } from './0002-connections.ts';

export const syncapiMigrations: Migrations = { '0001_filters': filters, '0002_connections': connections };
