import type { Endpoint } from '@seneschal/http';

import * as dendrite from './dendrite.ts';
import type { TokenDeps } from './shapes.ts';
import { deleteToken, getToken, usersOfToken } from './shared.ts';
import * as synapse from './synapse.ts';

/** Registration tokens, under the paths and with the errors of Dendrite and of Synapse. */
export function registrationTokenEndpoints(deps: TokenDeps): Endpoint[] {
  return [
    dendrite.createToken(deps),
    dendrite.listTokens(deps),
    dendrite.updateToken(deps),
    synapse.createToken(deps),
    synapse.listTokens(deps),
    synapse.updateToken(deps),
    getToken(deps),
    deleteToken(deps),
    usersOfToken(deps),
  ];
}
