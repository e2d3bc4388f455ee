import type { Migrations } from '@seneschal/database';

import { serverKeys } from './0001-server-keys.ts';

export const federationMigrations: Migrations = { '0001_server_keys': serverKeys };
