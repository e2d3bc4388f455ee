import type { Migrations } from '@seneschal/database';

import { filters } from './0001-filters.ts';

export const syncapiMigrations: Migrations = { '0001_filters': filters };
