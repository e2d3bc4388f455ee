/** A set-up that cannot go on. The message is one plain sentence that says what to do. */
export class SetupError extends Error {
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}

/** Made for the operator: one sentence that says what to do. */
const sayEnough = new Set(['SetupError', 'ConfigError', 'StartError', 'RedisRefused']);

/** What to print for an error: its message, and the stack only where the message alone would not help. */
export function describeError(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.code === 'EADDRINUSE') {
    const address = error.port === undefined ? error.message : `${error.address}:${error.port}`;
    return `The address ${address} is taken by another program: stop that one, or set SENESCHAL_LISTEN.`;
  }
  if (String(error.code).startsWith('ERR_PARSE_ARGS')) return `${error.message} --help says what there is.`;
  return sayEnough.has(error.name) ? error.message : (error.stack ?? error.message);
}
