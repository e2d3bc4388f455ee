import { activeSpan, type SpanAttributes } from '@seneschal/observability';

/** What is kept of a statement at the most. */
const longestStatement = 1000;

/** Runs a statement as a span, where the work that it belongs to is recorded. Its values are not told. */
export function traceQuery(text: string, run: () => unknown): unknown {
  const active = activeSpan();
  if (active?.isRecorded !== true) return run();
  const statement = text
    .slice(0, 2 * longestStatement)
    .replace(/\s+/g, ' ')
    .trim();
  const operation = /^\w{1,20}/.exec(statement)?.[0].toUpperCase() ?? 'SQL';
  const attributes: SpanAttributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.query.text': statement.slice(0, longestStatement),
  };
  const span = active.child(operation, { kind: 'client', attributes });
  const running = run();
  if (running instanceof Promise) {
    running.then(
      () => span.end(),
      (error: unknown) => span.end(error),
    );
  }
  return running;
}
