import {
  type Peer,
  peerSettings,
  startPeer,
  startWorld,
  type TestClient,
  type World,
} from '@seneschal/testing';

/** A world with an ordinary user, and another server, of which the test says what it answers. */
export interface Neighbours {
  world: World;
  peer: Peer;
  alice: TestClient;
}

/** Opens both before the tests of a file, hands them over, and closes them after them. */
export function openNeighbours(use: (neighbours: Neighbours) => void): void {
  let opened: Pick<Neighbours, 'world' | 'peer'> | undefined;
  beforeAll(async () => {
    const [world, peer] = await Promise.all([startWorld({ settings: peerSettings }), startPeer()]);
    opened = { world, peer };
    use({ world, peer, alice: await world.register('alice') });
  });
  afterAll(() => Promise.all([opened?.world.stop(), opened?.peer.stop()]));
}
