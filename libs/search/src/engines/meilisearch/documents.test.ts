import fc from 'fast-check';

import type { SearchDocument } from '../../documents/document.ts';
import { keyOf, payloadsOf } from './documents.ts';
import { differences, indexSettings } from './settings.ts';

function documentOf(eventId: string, text: string): SearchDocument {
  return {
    eventId,
    roomId: '!a:x',
    sender: '@a:x',
    type: 'm.room.message',
    position: 1,
    hasUrl: false,
    text,
  };
}

describe('documents for Meilisearch', () => {
  it('have IDs that Meilisearch takes, whatever the event ID, and different ones', () => {
    const ids = ['$event', '$a/b+c', '!room:server', `$${'x'.repeat(600)}`, '$ü "\\'];
    for (const id of ids) expect(keyOf(id)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        (one, other) => (keyOf(one) === keyOf(other)) === (one === other),
      ),
    );
  });

  it('go in requests below a size, all of them, in order', () => {
    const texts = fc.array(fc.string({ maxLength: 200 }), { maxLength: 50 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1500, max: 4000 }), (all, maximum) => {
        const documents = all.map((text, index) => documentOf(`$${index}`, text));
        const payloads = payloadsOf(documents, maximum);
        expect(payloads.flatMap((payload) => payload.documents)).toEqual(documents);
        for (const { text, documents: part } of payloads) {
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maximum);
          expect(text.split('\n').map((line) => JSON.parse(line) as { id: string })).toHaveLength(
            part.length,
          );
        }
      }),
    );
    expect(payloadsOf([])).toEqual([]);
  });
});

describe('settings of an index', () => {
  it('are told apart from what the server has', () => {
    const wanted = indexSettings(50);
    expect(differences(wanted, indexSettings(50))).toEqual([]);
    expect(differences(wanted, { ...wanted, rankingRules: ['words'], facetSearch: true })).toEqual([
      'rankingRules',
      'facetSearch',
    ]);
    expect(differences(wanted, indexSettings(12))).toEqual(['filterableAttributes']);
  });

  it('are in a form that older servers take', () => {
    expect(indexSettings(13).filterableAttributes).toEqual(['room', 'sender', 'type', 'has_url', 'position']);
  });
});
