import { MatrixError } from '@seneschal/matrix';

import { checkLocalpart } from './localparts.ts';

describe('checkLocalpart', () => {
  it.each(['alice', 'a.b_c=d-e/f+g', '0', 'x'.repeat(245)])('takes %s', (localpart) => {
    expect(() => checkLocalpart(localpart, 'x.test')).not.toThrow();
  });

  it.each(['', 'Alice', '_alice', 'ä', 'a b', 'a:b', 'a\u0000', '@alice', 'x'.repeat(250)])(
    'refuses %j',
    (localpart) => {
      expect(() => checkLocalpart(localpart, 'x.test')).toThrow(MatrixError);
    },
  );
});
