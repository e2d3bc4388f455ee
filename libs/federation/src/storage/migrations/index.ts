import type { Migrations } from '@seneschal/database';

import { serverKeys } from './0001-server-keys.ts';
import { destinations } from './0002-destinations.ts';
import { blockedServers } from './0004-blocked-servers.ts';
import { keyAnswers } from './0005-key-answers.ts';
import { edus } from './0006-edus.ts';
import { lag } from './0007-lag.ts';
import { eduAges } from './0008-edu-ages.ts';

export const federationMigrations: Migrations = {
  '0001_server_keys': serverKeys,
  '0002_destinations': destinations,
  '0004_blocked_servers': blockedServers,
  '0005_key_answers': keyAnswers,
  '0006_edus': edus,
  '0007_lag': lag,
  '0008_edu_ages': eduAges,
};
