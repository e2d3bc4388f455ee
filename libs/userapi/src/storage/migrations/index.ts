import type { Migrations } from '@seneschal/database';

import { accounts } from './0001-accounts.ts';
import { keys } from './0002-keys.ts';

export const userapiMigrations: Migrations = { '0001_accounts': accounts, '0002_keys': keys };
