import type { Endpoint } from '@seneschal/http';

import { addBlock, type BlocksDeps, listBlocks, removeBlock } from './blocks.ts';
import {
  type DestinationsDeps,
  getDestination,
  listDestinations,
  resetDestination,
  roomsOfDestination,
} from './destinations.ts';

export type FederationDeps = DestinationsDeps & BlocksDeps;

/** Other servers, as administrators look after them. */
export function federationEndpoints(deps: FederationDeps): Endpoint[] {
  return [
    listDestinations(deps),
    getDestination(deps),
    roomsOfDestination(deps),
    resetDestination(deps),
    listBlocks(deps),
    addBlock(deps),
    removeBlock(deps),
  ];
}
