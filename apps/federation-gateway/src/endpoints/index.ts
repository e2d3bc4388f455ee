import type { CallBus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { FederationForGateways, UserapiForFederation } from '@seneschal/contracts';
import type { Endpoint } from '@seneschal/http';
import type { Signer } from '@seneschal/matrix';

import { claimKeys, queryKeys } from './keys.ts';
import { openidUserinfo } from './openid-userinfo.ts';
import { queryProfile } from './query-profile.ts';
import { queryServerKey, queryServerKeys } from './query-server-keys.ts';
import { roomEndpoints } from './rooms/index.ts';
import type { RoomReads } from './rooms/shapes.ts';
import { serverKey } from './server-key.ts';
import { userDevices } from './user-devices.ts';
import { version } from './version.ts';

export interface FederationEndpointDeps {
  signer: Signer;
  bus: CallBus;
  config: Pick<Config, 'server_name'>;
  userapi: UserapiForFederation;
  roomserver: RoomReads;
  servers: Pick<FederationForGateways, 'notarisedKeys'>;
}

/** Everything that other servers may ask. */
export function federationEndpoints(deps: FederationEndpointDeps): Endpoint[] {
  return [
    version(),
    serverKey(deps),
    queryServerKey(deps),
    queryServerKeys(deps),
    userDevices(deps),
    queryKeys(deps),
    claimKeys(deps),
    queryProfile(deps),
    openidUserinfo(deps),
    ...roomEndpoints({ ...deps, serverName: deps.config.server_name }),
  ];
}
