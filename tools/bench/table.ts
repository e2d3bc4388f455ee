import type { Measurement } from './bench.ts';

/** The measurements as a table for people. */
export function table(measurements: readonly Measurement[]): string {
  const rows = [
    ['job', 'size', 'items', 'wall s', 'ms/item', 'CPU ms/item', 'server', 'postgres', 'redis', 'more'],
    ...measurements.map((one) => [
      one.job,
      String(one.size),
      String(one.items),
      (one.wallMs / 1000).toFixed(2),
      (one.wallMs / one.items).toFixed(2),
      one.cpuPerItemMs.toFixed(2),
      (one.serverMs / one.items).toFixed(2),
      (one.postgresMs / one.items).toFixed(2),
      (one.redisMs / one.items).toFixed(2),
      Object.entries(one.more)
        .map(([name, value]) => `${name} ${value.toFixed(value < 10 ? 2 : 0)}`)
        .join(', '),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === 9
            ? cell.padEnd(widths[column] ?? 0)
            : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
