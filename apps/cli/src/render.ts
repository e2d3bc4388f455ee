import { table } from './table.ts';
import { harmless, padded, widthOf } from './text.ts';

export interface RenderOptions {
  /** Of the terminal; undefined where nothing is to be cut. */
  width: number | undefined;
  /** The columns of tables, where they were chosen. */
  columns: readonly string[] | undefined;
}

/** What a list shows unless columns are chosen; of lists that are not here everything. */
const usual: Readonly<Record<string, readonly string[]>> = {
  jobs: ['job_id', 'kind', 'target', 'state', 'done', 'total', 'failed_items', 'created_ts'],
  entries: ['position', 'ts', 'actor', 'action', 'targets', 'status', 'reason'],
  deletions: ['room_id', 'requested_by', 'purged_ts', 'finished_ts', 'export', 'deletion_id'],
  reports: [
    'id',
    'kind',
    'received_ts',
    'user_id',
    'room_id',
    'target_user_id',
    'status',
    'assignee',
    'reason',
  ],
};

/** An answer as people read it: tables of what is listed, and lines of what is not. */
export function render(value: unknown, options: RenderOptions): string {
  return blocks(value, options, '').join('\n');
}

function blocks(value: unknown, options: RenderOptions, name: string): string[] {
  if (Array.isArray(value)) return list(value, options, name);
  if (isRecord(value)) return fields(value, options);
  return [scalar('', value)];
}

function fields(record: Record<string, unknown>, options: RenderOptions): string[] {
  const entries = Object.entries(record).map(([key, value]): [string, unknown] => [harmless(key), value]);
  const plain = entries.filter(([, value]) => !isNested(value));
  const width = Math.max(0, ...plain.map(([key]) => widthOf(key)));
  const lines = plain.map(([key, value]) => `${padded(key, width)}  ${scalar(key, value)}`);
  for (const [key, value] of entries.filter(([, one]) => isNested(one))) {
    // A list that is all of the answer needs no heading.
    if (entries.length === 1 && Array.isArray(value)) return list(value, options, key);
    const inner = isEmpty(value) ? ['(none)'] : blocks(value, narrower(options), key);
    lines.push(`${key}:`, ...inner.flatMap((block) => block.split('\n')).map((line) => `  ${line}`));
  }
  return lines.length > 0 ? lines : ['Done.'];
}

function list(items: readonly unknown[], options: RenderOptions, name: string): string[] {
  if (items.length === 0) return ['(none)'];
  if (!items.every(isRecord))
    return items.map((item) => (isNested(item) ? JSON.stringify(item) : scalar('', item)));
  const isDeep = items.some((item) =>
    Object.values(item).some((value) => Array.isArray(value) && value.some(isRecord)),
  );
  if (isDeep) return items.flatMap((item) => fields(item, options));
  const all = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const preferred = (usual[name] ?? all).filter((column) => all.includes(column));
  const columns = options.columns ?? (preferred.length > 0 ? preferred : all);
  const rows = items.map((item) => columns.map((column) => scalar(column, item[column])));
  return [table(columns.map(harmless), rows, options.width)];
}

function narrower(options: RenderOptions): RenderOptions {
  return options.width === undefined ? options : { ...options, width: options.width - 2 };
}

/** Times in ms since 1970 by the names that the API gives them. */
const times = /(^|_)(ts|time|since|until|seen)$/;
const year2000 = 946_684_800_000;

function scalar(key: string, value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number' && times.test(key) && value > year2000) {
    return new Date(value)
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, 'Z');
  }
  if (typeof value === 'string') return harmless(value);
  if (Array.isArray(value) && !value.some(isNested)) return harmless(value.join(', '));
  return harmless(JSON.stringify(value));
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isEmpty(value: unknown): boolean {
  return isNested(value) && Object.keys(value as object).length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isNested(value) && !Array.isArray(value);
}
