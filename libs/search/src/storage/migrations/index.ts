import type { Migrations } from '@seneschal/database';

import { indexes } from './0001-indexes.ts';

export const searchMigrations: Migrations = { '0001_indexes': indexes };
