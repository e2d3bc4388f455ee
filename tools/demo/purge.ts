import { at, createRoom, joinRoom, sendMessage, texts, type User } from '../shared/matrix.ts';
import { joinedRooms, verify, verifyStatus } from './checks.ts';
import { admin, type Call, encode, type Stage, v3 } from './stage.ts';

const seneschal = '/_seneschal/v1';

/** A room of two, purged with an export and brought back; then rooms that nobody is in, all at once. */
export function purging(stage: Stage): Call[] {
  const { client, world } = stage;
  const token = world.admin.token;
  const member = world.members[1] as User;
  let roomId = '';
  let since = '';
  const path = (query: string): string => `${admin}/purgeRoom/${encode(roomId)}?${query}`;
  const sync = (query: Record<string, string>) =>
    client.expect('GET', `${v3}/sync`, { token: member.token, query: { timeout: '0', ...query } });
  return [
    {
      name: 'POST purgeRoom?dry_run=true',
      size: '1 room',
      run: async () => {
        roomId = await createRoom(client, world.admin, { name: 'Doomed' });
        await joinRoom(client, member, roomId);
        await sendMessage(client, member, roomId, 'purge1', 'Call me Ishmael.');
        since = String((await sync({}))['next_batch']);
        return client.expect('POST', path('dry_run=true'), { token });
      },
      check: async (answer) => {
        verify(at(answer, 'counts', 'users') === 2, 'the users are counted wrongly');
        verify((await joinedRooms(client, member)).includes(roomId), 'the rehearsal was no rehearsal');
      },
    },
    {
      name: 'POST purgeRoom?export=true',
      size: '1 room',
      run: () => client.expect('POST', path('export=true&evacuate=false'), { token }),
      check: async () => {
        const answer = await sync({ since });
        verify(at(answer, 'rooms', 'leave', roomId) !== undefined, 'an offline client still has the room');
        const messages = `${v3}/rooms/${encode(roomId)}/messages?dir=b`;
        await verifyStatus(client, 'GET', messages, { token: member.token }, 403);
        await verifyStatus(client, 'POST', path(''), { token }, 404);
      },
    },
    {
      name: 'GET /_seneschal/v1/deletions, POST rooms/import',
      size: '1 room',
      run: async () => {
        const listed = await client.expect('GET', `${seneschal}/deletions`, {
          token,
          query: { room_id: roomId },
        });
        const file = at((listed['deletions'] as unknown[])[0], 'export');
        return client.expect('POST', `${seneschal}/rooms/import`, { token, body: { file } });
      },
      check: async () => {
        verify((await joinedRooms(client, member)).includes(roomId), 'its member is not in it again');
        await sendMessage(client, member, roomId, 'purge2', 'Still here.');
      },
    },
    ...manyRooms(stage),
  ];
}

function manyRooms({ client, world }: Stage): Call[] {
  const token = world.admin.token;
  const count = 5;
  let rooms: string[] = [];
  const listed = async (): Promise<string[]> =>
    texts((await client.expect('GET', `${admin}/emptyRooms`, { token }))['empty_rooms']);
  return [
    {
      name: 'GET emptyRooms',
      size: `${count} rooms`,
      run: async () => {
        for (let index = 0; index < count; index += 1) {
          const roomId = await createRoom(client, world.admin, { name: `Left ${index}` });
          await client.expect('POST', `${v3}/rooms/${encode(roomId)}/leave`, { token, body: {} });
          rooms = [...rooms, roomId];
        }
        return listed();
      },
      check: async (found) =>
        verify(
          rooms.every((roomId) => texts(found).includes(roomId)),
          'empty rooms are missing',
        ),
    },
    {
      name: 'POST /_seneschal/v1/rooms/purge',
      size: `${count} rooms`,
      run: () => {
        const body = { filter: { empty_for_days: 0, name: 'Left *' }, dry_run: false };
        return client.expect('POST', `${seneschal}/rooms/purge`, { token, body });
      },
      check: async (answer) => {
        verify(at(answer, 'purged') === count, `${String(at(answer, 'purged'))} rooms were purged`);
        const left = new Set(await listed());
        verify(!rooms.some((roomId) => left.has(roomId)), 'a purged room is still listed');
      },
    },
  ];
}
