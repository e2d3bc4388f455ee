import { startWorld, type TestClient, type World, type WorldOptions } from '@seneschal/testing';

/** A world with two ordinary users. */
export interface Stage {
  world: World;
  alice: TestClient;
  bob: TestClient;
}

/** Opens a stage before the tests of a file, hands it over, and closes it after them. */
export function openStage(use: (stage: Stage) => void, options: WorldOptions = {}): void {
  let world: World | undefined;
  beforeAll(async () => {
    world = await startWorld(options);
    use({ world, alice: await world.register('alice'), bob: await world.register('bob') });
  });
  afterAll(() => world?.stop());
}

/** A public room that one makes and the other joins; answers its ID. */
export async function roomOf(creator: TestClient, member: TestClient): Promise<string> {
  const roomId = await creator.createRoom({ preset: 'public_chat' });
  await member.join(roomId);
  return roomId;
}
