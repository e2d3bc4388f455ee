import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { EngineRefused, EngineUnavailable } from '../src/engines/engine.ts';
import { toMeilisearch } from '../src/engines/meilisearch/documents.ts';
import { meilisearchEngine } from '../src/engines/meilisearch/engine.ts';
import { MeilisearchServer } from '../src/engines/meilisearch/server.ts';
import { addDocuments } from '../src/engines/meilisearch/write.ts';
import { documentWith, EngineBench, testMeilisearch } from './engines.ts';

const withMeilisearch = testMeilisearch === undefined ? describe.skip : describe;

describe('a Meilisearch that cannot be used', () => {
  it('is away, where nothing listens', async () => {
    const engine = meilisearchEngine({ url: 'http://127.0.0.1:1', apiKey: null, prefix: 'x' });
    await expect(engine.describe()).rejects.toThrow(EngineUnavailable);
    await expect(engine.describe()).rejects.toThrow(/cannot be reached at the address in meilisearch_url/);
  });

  it.each([
    ['is too old', 200, { pkgVersion: '1.11.3' }, /1\.11\.3 is too old: 1\.12 or later/],
    ['refuses the key', 403, { code: 'invalid_api_key' }, /refuses the key in meilisearch_api_key/],
    ['wants a key', 401, { code: 'missing_authorization_header' }, /refuses the key/],
  ])('%s, and is asked for answers that are not compressed', async (_, status, body, message) => {
    const encodings: unknown[] = [];
    const server = createServer((request, response) => {
      encodings.push(request.headers['accept-encoding']);
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const engine = meilisearchEngine({
      url: `http://127.0.0.1:${port}`,
      apiKey: 'k'.repeat(16),
      prefix: 'x',
    });
    const failure = await engine.describe().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EngineRefused);
    expect((failure as Error).message).toMatch(message);
    expect(encodings).toEqual(['identity']);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

withMeilisearch('a real Meilisearch', () => {
  let bench: EngineBench;
  const config = testMeilisearch ?? { url: '', apiKey: null, prefix: '' };
  beforeAll(async () => {
    bench = await EngineBench.open('meilisearch');
  });
  afterAll(() => bench.stop());

  it('refuses a wrong key', async () => {
    const engine = meilisearchEngine({ ...config, apiKey: 'wrong'.repeat(5) });
    await expect(engine.describe()).rejects.toThrow(EngineRefused);
  });

  it('takes all documents but the ones that it refuses, and names those', async () => {
    const index = await bench.index();
    const documents = Array.from({ length: 9 }, () => documentWith('halibut'));
    const bad = new Set([documents[2]!.eventId, documents[7]!.eventId]);
    const server = new MeilisearchServer(config);
    const refused = await addDocuments(
      server,
      server.client.index(`${config.prefix}_events_${index.name}`),
      documents,
      20_000,
      (document) => ({ ...toMeilisearch(document), ...(bad.has(document.eventId) ? { id: '$bad:id' } : {}) }),
    );
    expect(refused).toEqual([...bad]);
    expect(await bench.engine.count(index)).toBe(7);
  });

  it('remembers no tasks of an index that is dropped', async () => {
    const index = await bench.index([documentWith('flounder')]);
    const { client } = new MeilisearchServer(config);
    const uid = `${config.prefix}_events_${index.name}`;
    expect((await client.tasks.getTasks({ indexUids: [uid] })).total).toBeGreaterThan(0);
    await bench.engine.drop(index);
    // Tasks are done in their order: when this one is, the deletion of the others is, too.
    await bench.index();
    expect((await client.tasks.getTasks({ indexUids: [uid] })).total).toBe(0);
  });

  it('finds by the beginning of a word and past a slip of the finger', async () => {
    const document = documentWith('a magnificent narwhal');
    const index = await bench.index([document]);
    for (const word of ['magnif', 'narwahl']) {
      const { hits } = await bench.engine.search(index, {
        words: [word],
        order: 'rank',
        scope: [{ roomId: document.roomId, from: 0, to: Infinity }],
        types: ['m.room.message'],
        upTo: Infinity,
        offset: 0,
        limit: 10,
      });
      expect(hits.map((hit) => hit.eventId)).toEqual([document.eventId]);
    }
  });

  it('gives no hits beyond what may be seen, whatever the identifiers hold (fuzz)', async () => {
    const evil = ['" OR position > 0 OR room = "', "'] OR 1 = 1 --", '\\"] OR room EXISTS', '\u0000!'];
    const index = await bench.index([
      documentWith('sardine'),
      ...evil.map((roomId) => documentWith('sardine', { roomId, sender: roomId })),
    ]);
    for (const roomId of evil) {
      const { hits, total } = await bench.engine.search(index, {
        words: ['sardine'],
        order: 'recent',
        scope: [{ roomId, from: 0, to: Infinity }],
        types: ['m.room.message'],
        senders: [...evil],
        notSenders: ['" OR sender = "'],
        upTo: Infinity,
        offset: 0,
        limit: 10,
      });
      expect([hits.length, total]).toEqual([1, 1]);
    }
  });
});
