import type { Migrations } from '@seneschal/database';

import { rooms } from './0001-rooms.ts';

export const roomserverMigrations: Migrations = { '0001_rooms': rooms };
