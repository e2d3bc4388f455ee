import { generateSigningKey } from '@seneschal/matrix';
import { createLogger } from '@seneschal/observability';
import { type Peer, startPeer, type TestDatabase, withDatabase } from '@seneschal/testing';

import { blockServer } from '../src/commands/block-server.ts';
import { Sender, type SenderDeps } from '../src/sending/sender.ts';
import { claimDestinations } from '../src/storage/claims.ts';
import { enqueueEdus, enqueueEphemeral } from '../src/storage/edus.ts';
import { federationMigrations } from '../src/storage/migrations/index.ts';
import { enqueue } from '../src/storage/queue.ts';
import type { FederationDb, FederationTables } from '../src/storage/tables.ts';
import { blockList } from '../src/transport/block-list.ts';
import { FederationClient } from '../src/transport/federation-client.ts';

const origin = 'here.example';
let database: TestDatabase, db: FederationDb, client: FederationClient, peer: Peer, sender: Sender;
let peers: Peer[] = [];
beforeAll(async () => {
  database = await withDatabase({ federation: federationMigrations });
  db = database.tables<FederationTables>();
  const config = { federation_verify_certificates: false, federation_allowed_networks: ['127.0.0.0/8'] };
  const signer = { serverName: origin, key: generateSigningKey() };
  client = new FederationClient(config, signer, blockList(db));
  sender = new Sender(deps());
});
beforeEach(async () => {
  peer = await startPeer();
  peers.push(peer);
  answer(200);
});
afterEach(async () => {
  await Promise.all(peers.map((one) => one.stop()));
  peers = [];
});
afterAll(async () => {
  await sender.stop();
  await client.stop();
  await database.stop();
});

function deps(): SenderDeps {
  const retry = { min: 3_600_000, max: 86_400_000 };
  return { db, client, logger: createLogger('silent'), serverName: origin, retry };
}

async function claimedUntil(): Promise<number> {
  const query = db.selectFrom('federation_destinations').select('claimed_until_ts');
  const row = await query.where('server_name', '=', peer.serverName).executeTakeFirst();
  return row?.claimed_until_ts ?? 0;
}

async function isWaiting(): Promise<boolean> {
  const query = db.selectFrom('federation_edu_queue').select('edu_id');
  return (await query.where('server_name', '=', peer.serverName).executeTakeFirst()) !== undefined;
}

function answer(status: number): void {
  peer.answer('/_matrix/federation/v1/send/', () => ({ status, body: status === 200 ? { pdus: {} } : {} }));
}

interface Sent {
  pdus: { n: number }[];
  edus?: { edu_type: string; content: { n: number } }[];
}

const sent = (): Sent[] => peer.requests.map(({ body }) => JSON.parse(body) as Sent);
const numbers = ({ edus = [] }: Sent): number[] => edus.map(({ content }) => content.n);
const durable = (n: number, subject: string | null = null) => ({
  ...{ type: 'm.test', subject, content: { n } },
  destinations: [peer.serverName],
});
const typing = (n: number, subject: string) => ({ ...durable(n), type: 'm.typing', subject });
const put = (edus: ReturnType<typeof durable>[], most?: number): Promise<void> =>
  db.transaction().execute((trx) => enqueueEdus(trx, edus, most));
const count = async (table: 'federation_edus' | 'federation_edu_queue' | 'federation_ephemeral') =>
  (await db.selectFrom(table).selectAll().execute()).length;
const tryAgain = (): Promise<unknown> =>
  db
    .updateTable('federation_destinations')
    .set({ next_try_ts: 0 })
    .where('server_name', '=', peer.serverName)
    .execute();
const range = (length: number): number[] => Array.from({ length }, (_, n) => n);

describe('the queue of EDUs', () => {
  it('goes with the events, in order, 50 events and 100 EDUs to a transaction', async () => {
    const events = range(60).map((n) => ({
      ...{ position: n + 1, roomId: '!r', json: JSON.stringify({ n }) },
      destinations: [peer.serverName],
    }));
    await db.transaction().execute((trx) => enqueue(trx, events));
    await put(range(230).map((n) => durable(n)));
    await enqueueEphemeral(db, [typing(1000, 'a')]);
    await sender.settled();
    expect(sent().map(({ pdus }) => pdus.length)).toEqual([50, 10, 0]);
    expect(sent().map(({ edus }) => edus?.length)).toEqual([100, 100, 31]);
    expect(sent().flatMap(numbers)).toEqual([...range(230), 1000]);
    expect([await count('federation_edus'), await count('federation_edu_queue')]).toEqual([0, 0]);
  });

  it('loses nothing durable while a server does not answer, and repeats it under the same transaction ID', async () => {
    answer(500);
    await put([durable(1), durable(2)]);
    await sender.settled();
    expect(await count('federation_edu_queue')).toBe(2);
    answer(200);
    await tryAgain();
    await put([durable(3)]);
    await sender.settled();
    expect(sent().map(numbers)).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
    await put([durable(4)]);
    answer(500);
    await sender.settled();
    answer(200);
    await tryAgain();
    await sender.settled();
    const uris = peer.requests.map(({ uri }) => uri);
    expect(new Set(uris).size).toBe(3);
    expect(uris.at(-1)).toBe(uris.at(-2));
    expect(await count('federation_edus')).toBe(0);
  });

  it('keeps the newest alone of too many about the same', async () => {
    answer(500);
    await put(range(3).map((n) => durable(n, 'alice')));
    expect(await count('federation_edu_queue')).toBe(1);
    await put([durable(3, 'bob'), durable(4, 'carol'), durable(5, 'bob'), durable(6)], 2);
    await put([durable(7, 'bob')], 2);
    await sender.settled();
    answer(200);
    await tryAgain();
    await sender.settled();
    expect(numbers(sent().at(-1)!)).toEqual([2, 4, 6, 7]);
    expect(await count('federation_edus')).toBe(0);
  });

  it('sends what is large in transactions of its own', async () => {
    const large = { ...durable(1), content: { n: 1, text: 'x'.repeat(900_000) } };
    await put([durable(0), large, { ...large }, durable(2)]);
    await sender.settled();
    expect(sent().map(numbers)).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('has one row of each passing subject, and sends its last state', async () => {
    await enqueueEphemeral(db, [typing(1, 'a'), typing(2, 'b'), typing(3, 'a')]);
    await enqueueEphemeral(db, [typing(4, 'b')]);
    await sender.settled();
    expect(sent().flatMap(numbers).sort()).toEqual([3, 4]);
    expect(await count('federation_ephemeral')).toBe(0);
  });

  it('drops what passes when a server does not answer, and queues none until it does', async () => {
    answer(500);
    await enqueueEphemeral(db, [typing(1, 'a')]);
    await sender.settled();
    await enqueueEphemeral(db, [typing(2, 'b')]);
    expect(await count('federation_ephemeral')).toBe(0);
    answer(200);
    await tryAgain();
    await put([durable(3)]);
    await sender.settled();
    await enqueueEphemeral(db, [typing(4, 'c')]);
    await sender.settled();
    expect(sent().map(numbers)).toEqual([[1], [3], [4]]);
  });

  it('bounds what passes, for each server', async () => {
    await enqueueEphemeral(
      db,
      range(1000).map((n) => typing(n, `subject ${n}`)),
    );
    await enqueueEphemeral(db, [typing(1000, 'one more')]);
    expect(await count('federation_ephemeral')).toBe(1000);
    await sender.settled();
    expect(sent().map(({ edus }) => edus?.length)).toEqual(Array(10).fill(100));
  });

  it('finds out the one EDU that a server refuses, and drops that alone', async () => {
    const taken: number[] = [];
    peer.answer('/_matrix/federation/v1/send/', ({ body }) => {
      const ns = numbers(JSON.parse(body) as Sent);
      if (ns.includes(13)) return { status: 400, body: { errcode: 'M_BAD_JSON' } };
      taken.push(...ns);
      return { body: { pdus: {} } };
    });
    await put(range(30).map((n) => durable(n)));
    await sender.settled();
    expect(taken).toEqual(range(30).filter((n) => n !== 13));
    expect(await count('federation_edus')).toBe(0);
  });

  it('loses nothing to a server that refuses everything', async () => {
    answer(400);
    await put(range(5).map((n) => durable(n)));
    await sender.settled();
    expect(await count('federation_edu_queue')).toBe(5);
    answer(200);
    await tryAgain();
    await sender.settled();
    expect(numbers(sent().at(-1)!)).toEqual(range(5));
  });

  it('holds nothing for a blocked server, and takes nothing more', async () => {
    answer(500);
    await put([durable(1)]);
    await sender.settled();
    await blockServer({ db }, { serverName: peer.serverName, note: null, blockedBy: '@admin:here.example' });
    expect([await count('federation_edus'), await count('federation_edu_queue')]).toEqual([0, 0]);
    await tryAgain();
    await put([durable(2)]);
    await enqueueEphemeral(db, [typing(3, 'a')]);
    await sender.settled();
    expect(sent().map(numbers)).toEqual([[1]]);
    expect([await count('federation_edus'), await count('federation_ephemeral')]).toEqual([0, 0]);
  });

  it('delays no server by another that does not answer', async () => {
    const other = await startPeer();
    peers.push(other);
    other.answer('/_matrix/federation/v1/send/', () => ({ status: 502, body: {} }));
    const both = { ...durable(1), destinations: [other.serverName, peer.serverName] };
    await put([both]);
    await sender.settled();
    expect(sent().map(numbers)).toEqual([[1]]);
    expect([await count('federation_edus'), await count('federation_edu_queue')]).toEqual([1, 1]);
  });
});

describe('a server that is being sent to', () => {
  it('is sent to by nobody else, however long it takes to answer', async () => {
    const claimMs = 400;
    const patient = new Sender({ ...deps(), claimMs });
    let finish: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (finish = resolve));
    peer.answer('/_matrix/federation/v1/send/', async () => {
      await answered;
      return { body: { pdus: {} } };
    });
    await put([durable(1)]);
    await patient.wake();
    const first = await claimedUntil();
    while ((await claimedUntil()) < first + 2 * claimMs) await sender.wake();
    await put([durable(2)]);
    await sender.settled();
    expect(peer.requests).toHaveLength(1);
    finish();
    await patient.settled();
    await patient.stop();
    expect(sent().map(numbers)).toEqual([[1], [2]]);
    expect(await claimedUntil()).toBe(0);
  });

  it('is taken over from a process that is gone', async () => {
    await put([durable(1)]);
    const now = Date.now();
    const claim = { now, until: now + 300, limit: 1 };
    expect(await claimDestinations(db, claim)).toEqual([peer.serverName]);
    while (await isWaiting()) await sender.settled();
    expect(Date.now()).toBeGreaterThan(claim.until);
    expect(sent().map(numbers)).toEqual([[1]]);
  });

  it('is tried again when its time has come, though the next look is far off', async () => {
    answer(500);
    const quick = new Sender({ ...deps(), retry: { min: 50, max: 50 }, everyMs: 3_600_000 });
    await put([durable(1)]);
    await quick.wake();
    while (peer.requests.length < 3) await isWaiting();
    answer(200);
    for (let isLeft = true; isLeft;) isLeft = await isWaiting();
    await quick.stop();
    expect(sent().map(numbers).at(-1)).toEqual([1]);
  });
});
