import {
  allDelivered,
  type Peer,
  rowsOf,
  startFederatedWorld,
  startPeer,
  type TestClient,
  type World,
} from '@seneschal/testing';

let here: World, there: World, peer: Peer;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there, peer] = await Promise.all([startFederatedWorld(), startFederatedWorld(), startPeer()]);
  [alice, bob] = await Promise.all([
    here.register('alice', { deviceId: 'A' }),
    there.register('bob', { deviceId: 'B' }),
  ]);
});
afterAll(() => Promise.all([here.stop(), there.stop(), peer.stop()]));

const type = 'm.room_key';
let transactions = 0;

function send(from: TestClient, messages: object, txnId = `t${(transactions += 1)}`) {
  return from.request('PUT', `/_matrix/client/v3/sendToDevice/${type}/${txnId}`, { body: { messages } });
}

async function boxOf(who: TestClient, query = ''): Promise<{ content: { n: number }; sender: string }[]> {
  return ((await who.call('GET', `/sync${query}`))['to_device'] as { events: never[] }).events;
}

const numbersOf = async (who: TestClient): Promise<number[]> =>
  (await boxOf(who)).map(({ content }) => content.n);

/** Deletes what has come so far. */
async function empty(who: TestClient): Promise<void> {
  const since = (await who.call('GET', '/sync'))['next_batch'] as string;
  await who.call('GET', `/sync?since=${since}`);
}

describe('messages to devices of other servers', () => {
  beforeEach(() => empty(bob));

  it('arrive, each once and in order, also beside messages for devices here', async () => {
    const carol = await here.register('carol', { deviceId: 'C' });
    await send(alice, { [bob.userId]: { B: { n: 1 } }, [carol.userId]: { '*': { n: 1 } } });
    await send(alice, { [bob.userId]: { '*': { n: 2 } } }, 'twice');
    await send(alice, { [bob.userId]: { '*': { n: 2 } } }, 'twice');
    await send(alice, { [bob.userId]: { B: { n: 3 }, NONE: { n: 4 } }, '@nobody:there.example': {} });
    await allDelivered(here, there);
    expect(await numbersOf(bob)).toEqual([1, 2, 3]);
    expect((await boxOf(bob))[0]).toEqual({ sender: alice.userId, type, content: { n: 1 } });
    expect(await numbersOf(carol)).toEqual([1]);
  });

  it("that cannot be signed are refused, and stand in nobody's way", async () => {
    const refused = await send(alice, { [bob.userId]: { B: { share: 0.5 } } });
    expect([refused.status, refused.body['errcode']]).toEqual([400, 'M_BAD_JSON']);
    const large = await send(alice, { [bob.userId]: { B: { x: 'x'.repeat(60_000) } } });
    expect([large.status, large.body['errcode']]).toEqual([413, 'M_TOO_LARGE']);
    await send(alice, { [bob.userId]: { B: { n: 7 } } });
    await allDelivered(here, there);
    expect(await numbersOf(bob)).toEqual([7]);
  });

  it('wait for a server that is away, and leave nothing behind when they have arrived', async () => {
    peer.answer('/_matrix/federation/v1/send/', () => ({ status: 503, body: {} }));
    const eve = `@eve:${peer.serverName}`;
    const large = { n: 1, ciphertext: 'x'.repeat(40_000) };
    await send(alice, { [eve]: { E1: large, E2: large } });
    await allDelivered(here, there);
    expect(await rowsOf(here.sql, 'SELECT FROM federation_edus')).toHaveLength(2);
    const arrived: { edu_type: string; content: { message_id: string } }[] = [];
    peer.answer('/_matrix/federation/v1/send/', ({ body }) => {
      arrived.push(...((JSON.parse(body) as { edus?: never[] }).edus ?? []));
      return { body: { pdus: {} } };
    });
    await rowsOf(here.sql, 'UPDATE federation_destinations SET next_try_ts = 0');
    await allDelivered(here, there);
    expect(arrived.map(({ edu_type }) => edu_type)).toEqual(['m.direct_to_device', 'm.direct_to_device']);
    expect(new Set(arrived.map(({ content }) => content.message_id)).size).toBe(2);
    for (const table of ['federation_edus', 'federation_edu_queue', 'userapi_to_device_outbox'])
      expect(await rowsOf(here.sql, `SELECT FROM ${table}`)).toEqual([]);
  });
});
