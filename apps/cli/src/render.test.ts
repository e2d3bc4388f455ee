import { render } from './render.ts';
import { table } from './table.ts';
import { cut, harmless, printedJson, widthOf } from './text.ts';

const plain = { width: undefined, columns: undefined };

describe('table', () => {
  it('aligns what is one or two columns wide, or none', () => {
    const shown = table(
      ['name', 'id'],
      [
        ['部屋', '1'],
        ['e\u0301clair', '2'],
        ['👩‍👩‍👧', '3'],
      ],
      undefined,
    );
    expect(shown.split('\n').map((line) => widthOf(line))).toEqual(
      [10, 9, 9, 9].map((one) => (one === 10 ? 10 : one)),
    );
    expect(shown).toBe('NAME    ID\n部屋    1\ne\u0301clair  2\n👩‍👩‍👧      3');
  });

  it('cuts the widest columns to the terminal, and nothing where there is none', () => {
    const row = ['short', 'a'.repeat(50), '部'.repeat(20)];
    const shown = table(['one', 'two', 'three'], [row], 60);
    for (const line of shown.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(60);
    expect(shown).toContain('short  aaa');
    expect(table(['one', 'two', 'three'], [row], undefined)).toContain(row[2]);
  });
});

describe('render', () => {
  it('shows times, nothing and lists as people read them', () => {
    const answer = { id: 7, created_ts: 1_764_000_000_000, note: null, rooms: ['!a', '!b'], none: [] };
    expect(render(answer, plain)).toBe(
      [
        'id          7',
        'created_ts  2025-11-24 16:00:00Z',
        'note        -',
        'rooms:',
        '  !a',
        '  !b',
        'none:',
        '  (none)',
      ].join('\n'),
    );
    expect(render({}, plain)).toBe('Done.');
    expect(render({ rooms: [] }, plain)).toBe('(none)');
  });

  it('shows of a list the columns that were chosen', () => {
    expect(
      render(
        {
          list: [
            { a: 1, b: 2 },
            { a: [3, 'x'], c: { d: 4 } },
          ],
        },
        { ...plain, columns: ['c', 'a'] },
      ),
    ).toBe('C        A\n-        1\n{"d":4}  3, x');
  });
});

describe('harmless', () => {
  it('lets nothing through that commands a terminal or turns text round', () => {
    expect(harmless('a\u001b[2J\n\u202eb\u009b')).toBe('a\\u{1b}[2J\\u{a}\\u{202e}b\\u{9b}');
    expect(cut('部屋部屋', 5)).toBe('部屋…');
  });

  it('leaves JSON what it is', () => {
    const value = { name: 'a\u001b[2J\u009b\u202eb 部屋' };
    expect(printedJson(value)).toBe('{\n  "name": "a\\u001b[2J\\u009b\\u202eb 部屋"\n}');
    expect(JSON.parse(printedJson(value))).toEqual(value);
  });
});
