import { RedisRefused } from '@seneschal/bus';
import { ConfigError } from '@seneschal/config';

/** A start that cannot succeed as things stand. The message is one sentence for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What to tell the operator of a failed start; undefined for faults of ours, which deserve a stack. */
export function explainStart(error: unknown): string | undefined {
  if (error instanceof StartError || error instanceof ConfigError || error instanceof RedisRefused) {
    return error.message;
  }
  return undefined;
}

/** The code of a system or database error (`ECONNREFUSED`, `28P01`), else its name. Never its text: that may quote an address with a password. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown error';
}
