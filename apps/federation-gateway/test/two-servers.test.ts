import { allDelivered, startFederatedWorld, type TestClient, type World } from '@seneschal/testing';

import { joinVia, membersOf, say, texts } from './sharing.ts';

let here: World, there: World;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([startFederatedWorld(), startFederatedWorld()]);
  [alice, bob] = await Promise.all([here.register('alice'), there.register('bob')]);
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

describe('two servers', () => {
  it.each(['12', '10', '6', '3', '1'])(
    'share a room of version %s: joined, talked in both ways, left',
    async (version) => {
      const roomId = await alice.createRoom({ preset: 'public_chat', room_version: version });
      await joinVia(bob, roomId, here);
      await allDelivered(here, there);
      const both = [alice.userId, bob.userId].sort();
      expect([await membersOf(alice, roomId), await membersOf(bob, roomId)]).toEqual([both, both]);
      await say(alice, roomId, 'one');
      await allDelivered(here, there);
      await say(bob, roomId, 'two');
      await allDelivered(here, there);
      expect(await texts(alice, roomId)).toEqual(['one', 'two']);
      expect(await texts(bob, roomId)).toEqual(['one', 'two']);
      await bob.leave(roomId);
      await allDelivered(here, there);
      expect(await membersOf(alice, roomId)).toEqual([alice.userId]);
    },
  );
});
