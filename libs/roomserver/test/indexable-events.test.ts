import { roomserverReads } from '@seneschal/roomserver';
import { startWorld, type World } from '@seneschal/testing';
import { sql } from 'kysely';

describe('the events of some types', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  it('are read in pages, in order and completely, whatever lies between them', async () => {
    const user = await world.register('reader');
    const rooms = [await user.createRoom(), await user.createRoom()];
    await world.settled();
    const positions = [1e6, 1e6 + 1, 1e6 + 2, 2e6, 5e6, 5e6 + 100, 1e9, 4e12];
    await sql`
      INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
      SELECT position, room_nid, '$' || position, CASE WHEN n % 4 = 0 THEN 'other' ELSE 'wanted' END, '@a:x', '{}'
      FROM unnest(${positions}::bigint[]) WITH ORDINALITY AS new (position, n)
        JOIN roomserver_rooms ON room_id = (ARRAY[${rooms[0]}, ${rooms[1]}]::text[])[1 + n % 2]
    `.execute(world.sql);
    const { database, logger } = world.homeserver.platform;
    const reads = roomserverReads(database, logger, {
      ignoredUsers: async () => [],
      invitesBlockedBy: async () => new Set<string>(),
    });
    const walk = async (upTo: number, roomId?: string): Promise<number[]> => {
      const found: number[] = [];
      for (let after = 0, isOver = false; !isOver;) {
        const page = {
          types: ['wanted'],
          after,
          upTo,
          limit: 2,
          ...(roomId === undefined ? {} : { roomId }),
        };
        const events = await reads.eventsOfTypes(page);
        found.push(...events.map((event) => event.position));
        after = found.at(-1) ?? 0;
        isOver = events.length < 2;
      }
      return found;
    };
    const wanted = positions.filter((_, index) => index % 4 !== 3);
    expect(await walk(Number.MAX_SAFE_INTEGER)).toEqual(wanted);
    expect(await walk(5e6)).toEqual([1e6, 1e6 + 1, 1e6 + 2, 5e6]);
    expect(await walk(Number.MAX_SAFE_INTEGER, rooms[0])).toEqual([1e6 + 1, 5e6 + 100]);
    expect(await walk(Number.MAX_SAFE_INTEGER, rooms[1])).toEqual([1e6, 1e6 + 2, 5e6, 1e9]);
  });
});
