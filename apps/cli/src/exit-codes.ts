/** What the program ends with; docs/command-line.md tells the same. */
export const exitCodes = {
  done: 0,
  /** The server answered with an error. */
  refused: 1,
  /** Something is wrong with the command line, or a confirmation was not given. */
  usage: 2,
  /** The server could not be reached, or did not answer. */
  unreachable: 3,
  /** The job failed, or was cancelled. */
  failed: 4,
  /** Some of it was done, and some was not. */
  partial: 5,
  /** Ctrl-C; a job that was started goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Something that ends the program: the message says what is wrong and what to do. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function usage(message: string): CliError {
  return new CliError(exitCodes.usage, message);
}

/** An error in the form of the Matrix specification, or what a health check warns of. */
interface ErrorBody {
  errcode?: unknown;
  error?: unknown;
  job_id?: unknown;
  warnings?: unknown;
  retry_after_ms?: unknown;
}

/** The server answered with an error. One that names a job tells what that failed of. */
export class Refused extends CliError {
  override readonly name = 'Refused';
  readonly status: number;
  readonly errcode: string;
  /** What the server said. */
  readonly said: string;
  readonly jobId: string | undefined;
  /** When it may be asked again, where the server said so. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: ErrorBody) {
    const errcode = typeof body.errcode === 'string' ? body.errcode : 'M_UNKNOWN';
    const said = typeof body.error === 'string' ? body.error : warningsOf(body, status);
    const advice = adviceFor(status, errcode);
    const code = typeof body.job_id === 'string' ? exitCodes.failed : exitCodes.refused;
    super(code, `${errcode} (${status}): ${said}${advice === undefined ? '' : `\n${advice}`}`);
    this.status = status;
    this.errcode = errcode;
    this.said = said;
    this.jobId = typeof body.job_id === 'string' ? body.job_id : undefined;
    this.retryAfterMs = typeof body.retry_after_ms === 'number' ? body.retry_after_ms : undefined;
  }
}

function warningsOf({ warnings }: ErrorBody, status: number): string {
  return Array.isArray(warnings) ? warnings.join(' ') : `The server answered ${status}.`;
}

function adviceFor(status: number, errcode: string): string | undefined {
  if (errcode === 'M_MISSING_TOKEN' || errcode === 'M_UNKNOWN_TOKEN') {
    return 'Log in with `seneschal login`, or give a token in SENESCHAL_CLI_TOKEN or --token-file.';
  }
  if (errcode === 'M_FORBIDDEN') {
    return 'This takes the token of an administrator, or an admin token with the scope that the call needs.';
  }
  if (errcode === 'M_LIMIT_EXCEEDED') return 'Wait a little and try again.';
  if (errcode === 'M_UNRECOGNIZED') {
    return 'This server does not have the call: is --server the address of the admin API, and is what it needs switched on?';
  }
  return status >= 500 ? 'The log of the server says more.' : undefined;
}
