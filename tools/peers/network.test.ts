import type { TestClient } from '@seneschal/testing';

import { joinVia, say, setState } from '../../apps/federation-gateway/test/sharing.ts';
import { PeerServer } from './peer-server.ts';
import {
  agreed,
  allTexts,
  eventually,
  extremitiesOf,
  failuresOf,
  isFull,
  sayMany,
  waitingFor,
} from './talk.ts';

/** More than one transaction holds. */
const many = isFull ? 500 : 55;

let here: PeerServer, there: PeerServer;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([PeerServer.start(), PeerServer.start()]);
  [alice, bob] = await Promise.all([here.register('alice'), there.register('bob')]);
}, 120_000);
afterAll(() => Promise.all([here.stop(), there.stop()]));

/** A room of Alice that Bob has joined, and in which he may do what she may. */
async function share(options: object = {}): Promise<string> {
  const users = { [alice.userId]: 100, [bob.userId]: 100 };
  const override = { power_level_content_override: { users } };
  const roomId = await alice.createRoom({
    preset: 'public_chat',
    room_version: '10',
    ...override,
    ...options,
  });
  await joinVia(bob, roomId, here);
  return roomId;
}

function setNetwork(weather: 'open' | 'cut'): void {
  for (const server of [here, there]) server.proxy.set(weather);
}

describe('two servers', () => {
  it.each(['12', '10'])(
    'talk both ways in a room of version %s, and have the same state',
    async (version) => {
      const roomId = await alice.createRoom({ preset: 'public_chat', room_version: version });
      await joinVia(bob, roomId, here);
      const texts = [
        ...(await sayMany(alice, roomId, 'alice', 5)),
        ...(await sayMany(bob, roomId, 'bob', 5)),
      ];
      await setState(alice, roomId, 'm.room.topic', { topic: 'whales' });
      const [first, second] = await agreed([alice, bob], roomId, texts.length);
      expect(first).toEqual(second);
      expect(first?.texts).toEqual(texts.sort());
    },
    120_000,
  );

  it('come to the same after both have written while the network was cut', async () => {
    const roomId = await share();
    setNetwork('cut');
    const write = async (who: TestClient, name: string): Promise<string[]> => {
      const said = await sayMany(who, roomId, name, many);
      await setState(who, roomId, 'm.room.topic', { topic: name });
      await setState(who, roomId, `example.${name}`, {});
      return [...said, ...(await sayMany(who, roomId, `${name} again`, 5))];
    };
    const written = await Promise.all([write(alice, 'alice'), write(bob, 'bob')]);
    setNetwork('open');
    const [first, second] = await agreed([alice, bob], roomId, written.flat().length);
    expect(first).toEqual(second);
    expect(first?.texts).toEqual(written.flat().sort());
    expect(Object.keys(first?.state ?? {})).toEqual(
      expect.arrayContaining(['example.alice ', 'example.bob ']),
    );
    for (const server of [here, there]) expect(await extremitiesOf(server, roomId)).toBeLessThanOrEqual(10);
    await say(alice, roomId, 'healed');
    expect(
      await eventually(
        () => allTexts(bob, roomId),
        (texts) => texts.includes('healed'),
      ),
    ).toContain('healed');
    for (const server of [here, there]) expect(await extremitiesOf(server, roomId)).toBe(1);
  }, 180_000);

  it('have each event once when the answers to transactions are lost', async () => {
    const roomId = await share();
    there.proxy.set('answers are lost');
    const said = await sayMany(alice, roomId, 'lost', 10);
    expect(
      await eventually(
        () => allTexts(bob, roomId),
        (texts) => texts.length === 10,
      ),
    ).toEqual(said);
    expect(await waitingFor(here, there)).toBeGreaterThan(0);
    there.proxy.set('open');
    expect(
      await eventually(
        () => waitingFor(here, there),
        (count) => count === 0,
      ),
    ).toBe(0);
    expect(await allTexts(bob, roomId)).toEqual(said);
  }, 120_000);

  it('have each event once when transactions are torn, and when they are slow', async () => {
    const roomId = await share();
    there.proxy.set('requests are torn');
    const said = await sayMany(alice, roomId, 'torn '.repeat(100), 30);
    await eventually(
      () => failuresOf(here, there),
      (failures) => failures > 0,
    );
    there.proxy.set('slow');
    expect(
      await eventually(
        () => allTexts(bob, roomId),
        (texts) => texts.length === 30,
      ),
    ).toEqual(said);
    there.proxy.set('open');
    expect(
      await eventually(
        () => waitingFor(here, there),
        (count) => count === 0,
      ),
    ).toBe(0);
  }, 120_000);

  it('lose nothing of a full queue when the sender is killed, before it sends and while it does', async () => {
    const roomId = await share();
    there.proxy.set('cut');
    const said = await sayMany(alice, roomId, 'killed', many * 2);
    await here.kill();
    there.proxy.set('slow');
    await here.run();
    await eventually(
      () => allTexts(bob, roomId),
      (texts) => texts.length > 0,
    );
    await here.kill();
    await here.run();
    there.proxy.set('open');
    expect(
      await eventually(
        () => allTexts(bob, roomId),
        (texts) => texts.length === said.length,
      ),
    ).toEqual(said);
    alice = await here.client('alice');
    expect(
      await eventually(
        () => waitingFor(here, there),
        (count) => count === 0,
      ),
    ).toBe(0);
  }, 180_000);
});
