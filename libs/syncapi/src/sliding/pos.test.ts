import { isMatrixError } from '@seneschal/matrix';

import { parsePos, parseToDeviceToken, posOf } from './pos.ts';

function errcodeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isMatrixError(error) ? error.errcode : undefined;
  }
  return undefined;
}

describe('a pos', () => {
  it('is read as it was written', () => {
    const pos = { connectionId: 7, seq: 12, position: { roomserver: 34, userapi: 56 } };
    expect(posOf(pos)).toBe('c7_12_s34_56');
    expect(parsePos(posOf(pos))).toEqual(pos);
    const typing = { ...pos, position: { ...pos.position, toDevice: 50, typing: 1_700_000_000_000_000 } };
    expect(parsePos(posOf(typing))).toEqual(typing);
  });

  it.each([
    '',
    's1_2',
    'c1_s1_2',
    'c1_2_',
    'c1_2_s',
    'c-1_2_s1_2',
    `c${'9'.repeat(16)}_1_s1_2`,
    'c1_2_s1_2x',
  ])('that is none is not known: %j', (text) => {
    expect(errcodeOf(() => parsePos(text))).toBe('M_UNKNOWN_POS');
  });

  it('is something else than a token of messages to devices', () => {
    expect(parseToDeviceToken('d12')).toBe(12);
    expect(errcodeOf(() => parseToDeviceToken('c1_2_s1_2'))).toBe('M_INVALID_PARAM');
  });
});
