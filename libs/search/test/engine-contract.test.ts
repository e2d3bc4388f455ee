import { searchableTypeNames, type SearchDocument } from '../src/documents/document.ts';
import { type EngineQuery, IndexMissing, type IndexRef } from '../src/engines/engine.ts';
import { documentWith, EngineBench, engineNames } from './engines.ts';

const room = '!room:test.example';
const everything = { from: 0, to: Infinity };

describe.each(engineNames)('the contract of a search engine: %s', (name) => {
  let bench: EngineBench;
  beforeAll(async () => {
    bench = await EngineBench.open(name);
  });
  afterAll(() => bench.stop());

  /** IDs of the hits. */
  async function find(index: IndexRef, words: string, given: Partial<EngineQuery> = {}): Promise<string[]> {
    return (await ask(index, words, given)).hits.map((hit) => hit.eventId);
  }

  function ask(index: IndexRef, words: string, given: Partial<EngineQuery> = {}) {
    return bench.engine.search(index, {
      words: words.split(' '),
      order: 'recent',
      scope: [{ roomId: room, ...everything }],
      types: searchableTypeNames,
      upTo: Infinity,
      offset: 0,
      limit: 20,
      ...given,
    });
  }

  const ids = (...documents: SearchDocument[]): string[] => documents.map((one) => one.eventId);

  it('says what it is', async () => {
    expect(await bench.engine.describe()).toMatch(/^(PostgreSQL|Meilisearch) \d+\.\d+/);
  });

  it('finds documents in which all words occur, whatever their case, the newest first', async () => {
    const first = documentWith('The white Whale is near');
    const second = documentWith('a WHALE, quite white');
    const index = await bench.index([first, documentWith('a whale'), second, documentWith('white sails')]);
    expect(await find(index, 'white whale')).toEqual(ids(second, first));
    expect((await ask(index, 'white whale')).total).toBe(2);
    expect(await find(index, 'harpoon')).toEqual([]);
    expect((await ask(index, 'harpoon')).total).toBe(0);
  });

  it('ranks documents that say it more exactly first, and gives the words that match', async () => {
    const long = documentWith(`whale ${'and much else of no matter to anybody at all '.repeat(10)}`);
    const exact = documentWith('whale');
    const index = await bench.index([exact, long]);
    const { hits } = await ask(index, 'whale', { order: 'rank' });
    expect(hits.map((hit) => hit.eventId)).toContain(exact.eventId);
    expect(hits).toHaveLength(2);
    expect(hits[0]?.rank).toBeGreaterThanOrEqual(hits[1]?.rank ?? Infinity);
    expect(hits[0]?.highlights).toEqual(['whale']);
  });

  it('looks at nothing outside the scope', async () => {
    const there = '!there:test.example';
    const inside = documentWith('anchor', { position: 20 });
    const others = [
      documentWith('anchor', { roomId: there, position: 5 }),
      documentWith('anchor', { roomId: there, position: 10 }),
      documentWith('anchor', { roomId: there, position: 19 }),
      documentWith('anchor', { roomId: there, position: 30 }),
      documentWith('anchor', { roomId: there, position: 40 }),
    ];
    const index = await bench.index([inside, ...others]);
    const scope = [
      { roomId: room, ...everything },
      { roomId: there, from: 10, to: 19 },
      { roomId: there, from: 40, to: Infinity },
    ];
    expect(await find(index, 'anchor', { scope })).toEqual(ids(others[4]!, inside, others[1]!));
    expect((await ask(index, 'anchor', { scope })).total).toBe(3);
    expect(await find(index, 'anchor', { scope: [{ roomId: '!other:x', ...everything }] })).toEqual([]);
  });

  it('works within the rooms of a user who is in thousands', async () => {
    const mine = documentWith('lighthouse', { roomId: '!r2900:test.example' });
    const index = await bench.index([mine, documentWith('lighthouse', { roomId: '!foreign:test.example' })]);
    const scope = Array.from({ length: 3000 }, (_, number) => ({
      roomId: `!r${number}:test.example`,
      ...(number % 10 === 0 ? { from: 0, to: 1_000_000 } : everything),
    }));
    expect(await find(index, 'lighthouse', { scope })).toEqual(ids(mine));
    expect(await find(index, 'lighthouse', { scope, order: 'rank' })).toEqual(ids(mine));
  });

  it('narrows by type, sender, url and position', async () => {
    const message = documentWith('harbour', { sender: '@a:x', position: 1 });
    const image = documentWith('harbour', { sender: '@b:x', position: 2, hasUrl: true });
    const topic = documentWith('harbour', { sender: '@c:x', position: 3, type: 'm.room.topic' });
    const index = await bench.index([message, image, topic]);
    expect(await find(index, 'harbour', { types: ['m.room.topic'] })).toEqual(ids(topic));
    expect(await find(index, 'harbour', { senders: ['@a:x', '@b:x'] })).toEqual(ids(image, message));
    expect(await find(index, 'harbour', { notSenders: ['@a:x'] })).toEqual(ids(topic, image));
    expect(await find(index, 'harbour', { notSenders: [] })).toEqual(ids(topic, image, message));
    expect(await find(index, 'harbour', { hasUrl: true })).toEqual(ids(image));
    expect(await find(index, 'harbour', { hasUrl: false })).toEqual(ids(topic, message));
    expect(await find(index, 'harbour', { upTo: 2 })).toEqual(ids(image, message));
  });

  it('pages, by both orders, without a gap and without giving anything twice', async () => {
    const all = Array.from({ length: 25 }, (_, number) => documentWith(`gull number ${number}`));
    const index = await bench.index(all);
    for (const order of ['recent', 'rank'] as const) {
      const pages = await Promise.all(
        [0, 10, 20].map((offset) => find(index, 'gull', { order, offset, limit: 10 })),
      );
      expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
      expect(new Set(pages.flat()).size).toBe(25);
    }
    expect((await ask(index, 'gull', { offset: 100 })).hits).toEqual([]);
  });

  it('replaces and removes documents, and does the same twice without harm', async () => {
    const kept = documentWith('barnacle');
    const gone = documentWith('barnacle');
    const index = await bench.index([kept, gone]);
    const changes = { put: [{ ...kept, text: 'limpet' }], remove: [gone.eventId, '$never'] };
    for (let time = 0; time < 2; time += 1) {
      expect(await bench.engine.write(bench.db, index, changes)).toEqual([]);
    }
    expect(await find(index, 'barnacle')).toEqual([]);
    expect(await find(index, 'limpet')).toEqual(ids(kept));
    expect(await bench.engine.count(index)).toBe(1);
  });

  it('removes a room and nothing else', async () => {
    const other = documentWith('tide', { roomId: '!other:test.example' });
    const index = await bench.index([documentWith('tide'), documentWith('tide'), other]);
    expect(await bench.engine.count(index, [room])).toBe(2);
    expect(await bench.engine.count(index, [room, other.roomId])).toBe(3);
    expect(await bench.engine.count(index, [])).toBe(0);
    expect(await bench.engine.removeRoom(bench.db, index, room)).toBe(2);
    expect(await bench.engine.removeRoom(bench.db, index, room)).toBe(0);
    expect(await bench.engine.count(index, [room])).toBe(0);
    expect(await bench.engine.count(index)).toBe(1);
  });

  it('tells which documents it holds between two positions', async () => {
    const all = [30, 10, 20].map((position) => documentWith(`at ${position}`, { position }));
    const index = await bench.index(all);
    const between = async (after: number, upTo: number, limit = 10): Promise<number[]> => {
      const found = await bench.engine.documentsBetween(index, { after, upTo }, limit);
      return found.map((one) => one.position);
    };
    expect(await between(10, 30)).toEqual([20, 30]);
    expect(await between(0, Infinity)).toEqual([10, 20, 30]);
    expect(await between(0, Infinity, 2)).toEqual([10, 20]);
    const [only] = await bench.engine.documentsBetween(index, { after: 10, upTo: 20, roomId: room }, 10);
    expect(only).toEqual({ eventId: all[2]!.eventId, position: 20, text: 'at 20' });
  });

  it('takes any text that an event can hold', async () => {
    const texts = [
      'x'.repeat(60_000),
      `${'lorem '.repeat(10_000)}needle`,
      'ßeta Ελλάδα 日本 🐳',
      'O\'Brien "quoted" \\ % _ \' OR 1=1 --',
      '\u0001\u0002\u0007',
    ];
    const all = texts.map((text) => documentWith(text));
    const index = await bench.index(all);
    expect(await bench.engine.count(index)).toBe(texts.length);
    expect(await find(index, 'needle')).toEqual(ids(all[1]!));
    expect(await find(index, 'Ελλάδα')).toEqual(ids(all[2]!));
    expect(await find(index, 'quoted')).toEqual(ids(all[3]!));
  });

  it('keeps indexes apart, and says when one is gone', async () => {
    const one = await bench.index([documentWith('porpoise')]);
    const two = await bench.index([]);
    expect(await find(two, 'porpoise')).toEqual([]);
    await bench.engine.create(one);
    expect(await bench.engine.count(one)).toBe(1);
    await bench.engine.drop(one);
    await bench.engine.drop(one);
    await expect(find(one, 'porpoise')).rejects.toThrow(IndexMissing);
  });
});
