import type { Bus } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import type { UserapiForClient, UserapiForGateways } from '@seneschal/contracts';

/** What the endpoints of accounts, devices and keys need; each names its part. */
export interface AccountDeps {
  bus: Pick<Bus, 'call' | 'redis' | 'prefix'>;
  userapi: UserapiForClient & Pick<UserapiForGateways, 'requesterByToken'>;
  config: Pick<
    Config,
    | 'server_name'
    | 'bcrypt_cost'
    | 'registration_enabled'
    | 'registration_requires_token'
    | 'access_token_lifetime'
    | 'refresh_token_lifetime'
    | 'public_base_url'
  >;
}
