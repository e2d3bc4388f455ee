import { checkPasswordRules } from './rules.ts';

function errcodeOf(password: string): string | undefined {
  try {
    checkPasswordRules(password);
    return undefined;
  } catch (error) {
    return (error as { errcode: string }).errcode;
  }
}

describe('checkPasswordRules', () => {
  it.each([
    ['', 'M_MISSING_PARAM'],
    ['1234567', 'M_WEAK_PASSWORD'],
    ['12345678', undefined],
    ['x'.repeat(512), undefined],
    ['x'.repeat(513), 'M_BAD_JSON'],
    ['1234\u00005678', 'M_BAD_JSON'],
  ])('judges %j', (password, expected) => {
    expect(errcodeOf(password)).toBe(expected);
  });
});
