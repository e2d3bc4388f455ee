/** An error as a log line shows it. */
export interface DescribedError {
  type: string;
  message: string;
  stack: string | undefined;
  code?: unknown;
  cause?: unknown;
  errors?: unknown[];
}

const deepest = 5;

/**
 * What a log line says of something thrown: its kind, message, code, stack and causes. Other properties are
 * left out, as those of a driver's error may quote what was sent. What is no error is answered as it is.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const described: DescribedError = { type: error.name, message: error.message, stack: error.stack };
  if ('code' in error) described.code = error.code;
  if (depth >= deepest) return described;
  if (error.cause !== undefined) described.cause = describeError(error.cause, depth + 1);
  if (error instanceof AggregateError) {
    described.errors = error.errors.map((one: unknown) => describeError(one, depth + 1));
  }
  return described;
}
