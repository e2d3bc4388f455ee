import { jest } from '@jest/globals';
import type { MatrixClient } from '@vector-im/matrix-bot-sdk';

import { startWorld, type World } from '@seneschal/testing';

// Its encryption is a binary that it downloads when it is installed; without encryption it is never called.
jest.mock('@matrix-org/matrix-sdk-crypto-nodejs', () => ({}), { virtual: true });
const {
  AutojoinRoomsMixin,
  LogLevel,
  LogService,
  MatrixAuth,
  MatrixClient: Client,
  MemoryStorageProvider,
} = await import('@vector-im/matrix-bot-sdk');

let world: World;
beforeAll(async () => {
  LogService.setLevel(LogLevel.ERROR);
  LogService.muteModule('MatrixHttpClient');
  world = await startWorld();
  await world.register('alice', { password: 'correct horse', displayname: 'Alice' });
  await world.register('bob', { password: 'battery staple' });
  await world.register('owner', { password: 'correct horse' });
  await world.register('bot', { password: 'battery staple' });
});
afterAll(() => world.stop());

async function logIn(name: string, password: string): Promise<MatrixClient> {
  const { accessToken } = await new MatrixAuth(world.url).passwordLogin(name, password, 'a test');
  return new Client(world.url, accessToken, new MemoryStorageProvider());
}

/** The next emission of an event of the client that fits. */
function next<T>(client: MatrixClient, name: string, fits: (...args: [string, T]) => boolean): Promise<T> {
  return new Promise((resolve) => {
    client.on(name, (roomId: string, event: T) => {
      if (fits(roomId, event)) resolve(event);
    });
  });
}

interface Message {
  content: { body: string };
  sender: string;
}

interface Member {
  content: { membership?: string };
  state_key?: string;
}

describe('matrix-bot-sdk', () => {
  it('logs in, creates, joins, sends, receives by sync, leaves and logs out', async () => {
    const alice = await logIn('alice', 'correct horse');
    const bob = await logIn('bob', 'battery staple');
    expect(await alice.getUserId()).toBe('@alice:test.example');
    const clients = [alice, bob];
    await Promise.all(clients.map((client) => client.start()));

    const invited = next(bob, 'room.invite', () => true);
    const roomId = await alice.createRoom({
      preset: 'private_chat',
      name: 'Bots',
      invite: ['@bob:test.example'],
    });
    await invited;
    const joined = next(bob, 'room.join', (id) => id === roomId);
    await bob.joinRoom(roomId);
    await joined;
    expect(await bob.getJoinedRooms()).toEqual([roomId]);
    expect((await alice.getJoinedRoomMembers(roomId)).sort()).toEqual([
      '@alice:test.example',
      '@bob:test.example',
    ]);

    const heard = next<Message>(bob, 'room.message', (id) => id === roomId);
    const eventId = await alice.sendText(roomId, 'Call me Ishmael.');
    expect((await heard).content.body).toBe('Call me Ishmael.');
    expect((await bob.getEvent(roomId, eventId)) as Message).toMatchObject({ sender: '@alice:test.example' });
    const answered = next<Message>(
      alice,
      'room.message',
      (id, { sender }) => id === roomId && sender.startsWith('@bob'),
    );
    await bob.replyText(roomId, await bob.getEvent(roomId, eventId), 'Some years ago');
    await answered;

    const left = next(bob, 'room.leave', (id) => id === roomId);
    await bob.leaveRoom(roomId);
    await left;
    expect(await bob.getJoinedRooms()).toEqual([]);
    for (const client of clients) {
      client.stop();
      await client.doRequest('POST', '/_matrix/client/v3/logout');
      await expect(client.getWhoAmI()).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    }
  });

  it('runs a bot that joins where it is invited, and says again what it hears', async () => {
    const bot = await logIn('bot', 'battery staple');
    const echoes: Promise<string>[] = [];
    AutojoinRoomsMixin.setupOnClient(bot);
    bot.on('room.message', (roomId: string, { sender, content }: Message) => {
      if (sender !== '@bot:test.example') echoes.push(bot.sendNotice(roomId, content.body));
    });
    const owner = await logIn('owner', 'correct horse');
    await Promise.all([bot.start(), owner.start()]);
    const joined = next<Member>(
      owner,
      'room.event',
      (_, { state_key: user, content }) => user === '@bot:test.example' && content.membership === 'join',
    );
    const roomId = await owner.createRoom({ invite: ['@bot:test.example'] });
    await joined;
    const echoed = next<Message>(owner, 'room.message', (_, { sender }) => sender === '@bot:test.example');
    await owner.sendText(roomId, 'Ahoy');
    expect((await echoed).content).toMatchObject({ msgtype: 'm.notice', body: 'Ahoy' });
    expect(await Promise.all(echoes)).toHaveLength(1);
    for (const client of [bot, owner]) client.stop();
  });
});
