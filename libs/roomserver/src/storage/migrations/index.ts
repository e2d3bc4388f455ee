import type { Migrations } from '@seneschal/database';

import { rooms } from './0001-rooms.ts';
import { deletions } from './0002-deletions.ts';
import { reports } from './0003-reports.ts';
import { noticeRooms } from './0004-notice-rooms.ts';
import { hiddenHistory } from './0005-hidden-history.ts';
import { federation } from './0006-federation.ts';
import { relations } from './0007-relations.ts';
import { serversOfRooms } from './0009-servers-of-rooms.ts';
import { redactions } from './0010-redactions.ts';
import { profileUpdates } from './0020-profile-updates.ts';
import { erasedUsers } from './0021-erased-users.ts';
import { userDirectory } from './0022-user-directory.ts';
import { membershipSince } from './0023-membership-since.ts';

export const roomserverMigrations: Migrations = {
  '0001_rooms': rooms,
  '0002_deletions': deletions,
  '0003_reports': reports,
  '0004_notice_rooms': noticeRooms,
  '0005_hidden_history': hiddenHistory,
  '0006_federation': federation,
  '0007_relations': relations,
  '0009_servers_of_rooms': serversOfRooms,
  '0010_redactions': redactions,
  '0020_profile_updates': profileUpdates,
  '0021_erased_users': erasedUsers,
  '0022_user_directory': userDirectory,
  '0023_membership_since': membershipSince,
};
