import { outgoingOf } from './outgoing.ts';

const sent = { sender: '@alice:here.example', type: 'm.room.encrypted' };

describe('outgoingOf', () => {
  it('makes one part of what goes to one server', () => {
    const parts = outgoingOf({
      ...sent,
      messages: [
        ['@bob:one.example', { B1: { n: 1 }, '*': { n: 2 } }],
        ['@carol:two.example:8448', { C: { n: 3 } }],
        ['@dave:one.example', { D: { n: 4 } }],
      ],
    });
    expect(parts.map(({ serverName, messages }) => [serverName, messages])).toEqual([
      [
        'one.example',
        { '@bob:one.example': { B1: { n: 1 }, '*': { n: 2 } }, '@dave:one.example': { D: { n: 4 } } },
      ],
      ['two.example:8448', { '@carol:two.example:8448': { C: { n: 3 } } }],
    ]);
    expect(new Set(parts.map(({ messageId }) => messageId)).size).toBe(2);
    for (const { messageId } of parts) expect(messageId.length).toBeLessThanOrEqual(32);
  });

  it('splits what is too large for one EDU, a device at a time', () => {
    const content = { ciphertext: 'x'.repeat(25_000) };
    const devices = Object.fromEntries(['A', 'B', 'C', 'D', 'E'].map((id) => [id, content]));
    const parts = outgoingOf({ ...sent, messages: [['@bob:one.example', devices]] });
    const of = parts.map(({ messages }) => Object.keys(messages['@bob:one.example'] as object));
    expect(of).toEqual([['A', 'B'], ['C', 'D'], ['E']]);
  });

  it.each([
    ['M_BAD_JSON', { share: 0.5 }],
    ['M_BAD_JSON', { half: '\ud800' }],
    ['M_BAD_JSON', JSON.parse(`${'{"a":'.repeat(95)}1${'}'.repeat(95)}`) as object],
    ['M_TOO_LARGE', { ciphertext: 'x'.repeat(60_001) }],
  ])('%s: refuses what no transaction could carry', (errcode, content) => {
    const messages: [string, Record<string, never>][] = [['@bob:one.example', { B: content as never }]];
    expect(() => outgoingOf({ ...sent, messages })).toThrow(expect.objectContaining({ errcode }) as Error);
  });

  it('passes over users of no server, and users without devices', () => {
    expect(
      outgoingOf({
        ...sent,
        messages: [
          ['@bob', { B: {} }],
          ['@carol:one.example', {}],
        ],
      }),
    ).toEqual([]);
  });
});
