import { parseSyncToken, positionOf, syncTokenOf, toDeviceOf, tokenOf } from './tokens.ts';

describe('tokens', () => {
  it('of sync name a position in each log', () => {
    const position = { roomserver: 12, userapi: 0 };
    expect(parseSyncToken(syncTokenOf(position))).toEqual(position);
  });

  it('of sync say where messages to the device were cut off, when they were', () => {
    const cut = { roomserver: 12, userapi: 9, toDevice: 7 };
    expect(syncTokenOf(cut)).toBe('s12_9_7');
    expect(parseSyncToken('s12_9_7')).toEqual(cut);
    expect(syncTokenOf({ ...cut, toDevice: 9 })).toBe('s12_9');
    expect(parseSyncToken(syncTokenOf({ ...cut, typing: 5 }))).toEqual({ ...cut, typing: 5 });
    expect([parseSyncToken('s12_9_7'), parseSyncToken('s12_9'), null].map(toDeviceOf)).toEqual([7, 9, 0]);
  });

  it('of messages are taken where a page begins, and those of sync too', () => {
    expect(positionOf(tokenOf(7))).toBe(7);
    expect(positionOf('s12_3')).toBe(12);
  });

  it.each(['', 's1', 's1_', 's-1_2', 's1_2_3_4_5', ' s1_2', 't1', `s${'9'.repeat(16)}_1`])(
    'refuse %j as a token of sync',
    (token) => {
      expect(() => parseSyncToken(token)).toThrow(
        expect.objectContaining({ errcode: 'M_INVALID_PARAM' }) as Error,
      );
    },
  );

  it.each(['', 't', 'tx', 't-1', 'x1'])('refuse %j as a token of messages', (token) => {
    expect(() => positionOf(token)).toThrow(expect.objectContaining({ errcode: 'M_INVALID_PARAM' }) as Error);
  });
});
