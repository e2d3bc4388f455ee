import { jest } from '@jest/globals';
import { startWorld, type World } from '@seneschal/testing';
import { type MatrixEvent, Preset } from 'matrix-js-sdk';
import {
  type CryptoApi,
  CryptoEvent,
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/index.js';

import { logIn, password, type Person, sharedRoom, until } from './clients.ts';

let world: World;
const people: Person[] = [];
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  for (const { client } of people) client.stopClient();
  await world.stop();
});

const secretStorageKeys = new Map<string, Uint8Array>();

/** A new session with encryption of a user, who keeps the key of the secret storage in mind. */
async function session(name: string): Promise<Person> {
  const person = await logIn(world, name, {
    encrypted: true,
    cryptoCallbacks: {
      getSecretStorageKey: async ({ keys }) => {
        const id = Object.keys(keys).find((each) => secretStorageKeys.has(each));
        return id === undefined ? null : [id, secretStorageKeys.get(id)!];
      },
      cacheSecretStorageKey: (id, _description, key) => void secretStorageKeys.set(id, key),
    },
  });
  people.push(person);
  return person;
}

const cryptoOf = ({ client }: Person): CryptoApi => client.getCrypto()!;

/** A new user with cross-signing keys, whose publication takes the password. */
async function user(name: string): Promise<Person> {
  await world.register(name, { password });
  const person = await session(name);
  await cryptoOf(person).bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async (upload) => {
      const identifier = { type: 'm.id.user', user: person.userId };
      await upload({ type: 'm.login.password', identifier, password });
    },
  });
  return person;
}

const encryptedRoom = (owner: Person, other: Person): Promise<string> =>
  sharedRoom(owner, [other], {
    preset: Preset.PrivateChat,
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  });

const say = async ({ client }: Person, roomId: string, body: string): Promise<string> =>
  (await client.sendTextMessage(roomId, body)).event_id;

/** The event once the client could decrypt it. */
const readable = (person: Person, roomId: string, eventId: string): Promise<MatrixEvent> =>
  until(person, () => {
    const event = person.client.getRoom(roomId)?.findEventById(eventId);
    return event?.getClearContent() === null || event?.isDecryptionFailure() === true ? null : event;
  });

const bodyOf = (event: MatrixEvent): unknown => event.getContent()['body'];

const requestedOf = ({ client }: Person): Promise<VerificationRequest> =>
  new Promise((resolve) => client.once(CryptoEvent.VerificationRequestReceived, resolve));

const reached = (request: VerificationRequest, phase: VerificationPhase): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (request.phase === phase) resolve();
    };
    request.on(VerificationRequestEvent.Change, look);
    look();
  });

const shown = (verifier: Verifier): Promise<ShowSasCallbacks> =>
  new Promise((resolve) => verifier.once(VerifierEvent.ShowSas, resolve));

/** Compares emoji, as two people do; answers them. */
async function compareEmoji(asked: VerificationRequest, answered: VerificationRequest): Promise<unknown[]> {
  await answered.accept();
  await reached(asked, VerificationPhase.Ready);
  const asking = await asked.startVerification('m.sas.v1');
  await reached(answered, VerificationPhase.Started);
  const answering = answered.verifier!;
  const both = Promise.all([shown(asking), shown(answering)]);
  const verified = Promise.all([asking.verify(), answering.verify()]);
  const [mine, theirs] = await both;
  await Promise.all([mine.confirm(), theirs.confirm()]);
  await verified;
  return [mine.sas.emoji, theirs.sas.emoji];
}

describe('encryption', () => {
  it('is end to end between two users, who verify each other by comparing emoji in the room', async () => {
    const [alice, bob] = [await user('alice'), await user('bob')];
    const roomId = await encryptedRoom(alice, bob);
    const asked = await say(alice, roomId, 'Where is the white whale?');
    const heard = await readable(bob, roomId, asked);
    expect(bodyOf(heard)).toBe('Where is the white whale?');
    expect(heard.getWireType()).toBe('m.room.encrypted');
    expect(JSON.stringify(await bob.client.fetchRoomEvent(roomId, asked))).not.toContain('whale');
    const answered = await say(bob, roomId, 'Aft');
    expect(bodyOf(await readable(alice, roomId, answered))).toBe('Aft');

    const isVerified = async (of: Person, by: Person): Promise<boolean> =>
      (await cryptoOf(by).getUserVerificationStatus(of.userId)).isCrossSigningVerified();
    expect(await isVerified(bob, alice)).toBe(false);
    const requested = requestedOf(bob);
    const request = await cryptoOf(alice).requestVerificationDM(bob.userId, roomId);
    const [mine, theirs] = await compareEmoji(request, await requested);
    expect(mine).toHaveLength(7);
    expect(mine).toEqual(theirs);
    expect(await until(alice, () => isVerified(bob, alice))).toBe(true);
    expect(await until(bob, () => isVerified(alice, bob))).toBe(true);
    const device = await cryptoOf(alice).getDeviceVerificationStatus(bob.userId, bob.client.getDeviceId()!);
    expect(device?.isVerified()).toBe(true);
  });

  it('comes back on a new device from the key backup, and the other user trusts that device', async () => {
    const [carol, dan] = [await user('carol'), await user('dan')];
    const roomId = await encryptedRoom(carol, dan);
    const before = await say(dan, roomId, 'before');
    await readable(carol, roomId, before);
    // The client waits for a random part of ten seconds before it uploads to a backup.
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    const backedUp = new Promise<void>((resolve) => {
      carol.client.on(CryptoEvent.KeyBackupSessionsRemaining, (remaining) => {
        if (remaining === 0) resolve();
      });
    });
    await cryptoOf(carol).bootstrapSecretStorage({
      createSecretStorageKey: () => cryptoOf(carol).createRecoveryKeyFromPassphrase(),
      setupNewKeyBackup: true,
    });
    expect(await cryptoOf(carol).checkKeyBackupAndEnable()).toMatchObject({
      trustInfo: { trusted: true, matchesDecryptionKey: true },
    });
    await backedUp;
    random.mockRestore();

    const second = await session('carol');
    expect(await cryptoOf(second).userHasCrossSigningKeys(carol.userId, true)).toBe(true);
    await cryptoOf(second).bootstrapCrossSigning({});
    await cryptoOf(second).loadSessionBackupPrivateKeyFromSecretStorage();
    expect(await cryptoOf(second).restoreKeyBackup()).toEqual({ imported: 1, total: 1 });
    expect(bodyOf(await readable(second, roomId, before))).toBe('before');
    const deviceId = second.client.getDeviceId()!;
    await until(dan, async () => {
      const status = await cryptoOf(dan).getDeviceVerificationStatus(carol.userId, deviceId);
      return status?.signedByOwner;
    });
    const after = await say(dan, roomId, 'after');
    for (const each of [carol, second]) expect(bodyOf(await readable(each, roomId, after))).toBe('after');
  });

  it('hands the secrets of a session over to a new one that it verifies', async () => {
    const first = await user('erin');
    const second = await session('erin');
    expect(await cryptoOf(second).isCrossSigningReady()).toBe(false);
    const requested = requestedOf(first);
    const request = await cryptoOf(second).requestOwnUserVerification();
    const [mine, theirs] = await compareEmoji(request, await requested);
    expect(mine).toEqual(theirs);
    await until(second, async () => {
      const { privateKeysCachedLocally: keys } = await cryptoOf(second).getCrossSigningStatus();
      return keys.masterKey && keys.selfSigningKey && keys.userSigningKey;
    });
    expect(await cryptoOf(second).isCrossSigningReady()).toBe(true);
  });

  it('leaves a device out that has logged out', async () => {
    const [frank, grace] = [await user('frank'), await user('grace')];
    const second = await session('grace');
    const roomId = await encryptedRoom(frank, grace);
    const devices = async (): Promise<number | undefined> =>
      (await cryptoOf(frank).getUserDeviceInfo([grace.userId])).get(grace.userId)?.size;
    await until(frank, async () => (await devices()) === 2);
    await second.client.logout(true);
    await until(frank, async () => (await devices()) === 1);
    const sent = await say(frank, roomId, 'to one device');
    expect(bodyOf(await readable(grace, roomId, sent))).toBe('to one device');
  });
});
