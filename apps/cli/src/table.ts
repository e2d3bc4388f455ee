import { cut, padded, widthOf } from './text.ts';

const gap = '  ';
const narrowest = 8;

/**
 * Rows under headings, aligned, also where characters are two columns wide.
 * @param width of the terminal: what does not fit is cut, from the widest columns first; undefined cuts nothing
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const wanted = headings.map((heading, at) =>
    Math.max(widthOf(heading), ...rows.map((row) => widthOf(row[at] ?? ''))),
  );
  const widths = width === undefined ? wanted : fitted(wanted, width - gap.length * (headings.length - 1));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => padded(cut(cell, widths[at] ?? 0), widths[at] ?? 0))
      .join(gap)
      .trimEnd();
  return [line(headings.map((heading) => heading.toUpperCase())), ...rows.map(line)].join('\n');
}

function fitted(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  for (let over = sum(widths) - width; over > 0; over = sum(widths) - width) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) break;
    const next = Math.max(narrowest, ...widths.filter((one) => one < widest));
    const count = widths.filter((one) => one === widest).length;
    const less = Math.max(1, Math.min(widest - next || 1, Math.ceil(over / count)));
    for (const [at, one] of widths.entries())
      if (one === widest) widths[at] = Math.max(narrowest, one - less);
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
