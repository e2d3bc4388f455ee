import type { Bus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { RoomDataReads, RoomserverForAdmin, UserapiForAdmin } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';

import { Nonces } from '../nonces.ts';
import { getAdministrator, setAdministrator } from './administrators.ts';
import { refreshDevices } from './devices/refresh-devices.ts';
import { refreshManyDevices } from './devices/refresh-many-devices.ts';
import { evacuateRoom } from './evacuate-room.ts';
import { evacuateUser } from './evacuate-user.ts';
import { jobEndpoints } from './jobs/index.ts';
import { moderationEndpoints } from './moderation.ts';
import { noticeEndpoints, type NoticesDeps } from './notices/index.ts';
import { register, registerNonce } from './register.ts';
import { registrationTokenEndpoints } from './registration-tokens/index.ts';
import { reportEndpoints } from './reports/index.ts';
import { resetPassword } from './reset-password.ts';
import { roomEndpoints } from './rooms/index.ts';
import { whois } from './whois.ts';

export interface AdminDeps {
  bus: Pick<Bus, 'call' | 'redis' | 'prefix'>;
  jobs: Pick<Jobs, 'start' | 'wait' | 'record' | 'reads' | 'control' | 'changeAfter' | 'isStopped'>;
  userapi: UserapiForAdmin & NoticesDeps['userapi'];
  roomserver: RoomserverForAdmin;
  search: RoomDataReads;
  config: NoticesDeps['config'] &
    Pick<
      Config,
      'bcrypt_cost' | 'registration_shared_secret' | 'registration_requires_token' | 'evacuate_job_size'
    >;
}

/** All endpoints of the admin API; registration only where a shared secret is configured. */
export function adminEndpoints(deps: AdminDeps): Endpoint[] {
  const secret = deps.config.registration_shared_secret;
  const endpoints = [
    ...evacuateRoom(deps),
    ...evacuateUser(deps),
    resetPassword(deps),
    whois(deps),
    getAdministrator(deps),
    setAdministrator(deps),
    ...moderationEndpoints(deps),
    ...registrationTokenEndpoints(deps),
    refreshDevices(deps),
    refreshManyDevices(deps),
    ...jobEndpoints(deps),
    ...reportEndpoints(deps),
    ...noticeEndpoints(deps),
    ...roomEndpoints({ ...deps, keepers: [deps.userapi, deps.search] }),
  ];
  if (secret === null) return endpoints;
  const nonces = new Nonces(deps.bus);
  return [...endpoints, registerNonce({ nonces }), register({ ...deps, nonces, secret })];
}
