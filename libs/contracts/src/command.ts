import type { z } from 'zod';

/** The components that serve commands; each has one BullMQ queue of this name. */
export const componentNames = ['userapi', 'roomserver', 'syncapi', 'federation', 'search'] as const;
export type ComponentName = (typeof componentNames)[number];

/**
 * A command changes state. It always crosses BullMQ; input and output are checked on both sides.
 * A command may be delivered more than once: its handler is naturally idempotent or remembers its reply.
 */
export interface Command<Input = unknown, Output = unknown> {
  readonly component: ComponentName;
  readonly name: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  /** How long a caller waits for the reply, in ms. After it the outcome is unknown, not failed. */
  readonly timeoutMs: number;
  /** Whether the input may have many megabytes, such as the state of a room: then it does not go through Redis. */
  readonly isLarge: boolean;
}

/** Declares a command of one component. */
export function command<Input, Output>(
  component: ComponentName,
  name: string,
  shape: { input: z.ZodType<Input>; output: z.ZodType<Output>; timeoutMs?: number; isLarge?: boolean },
): Command<Input, Output> {
  const { input, output, timeoutMs = 30_000, isLarge = false } = shape;
  return { component, name, input, output, timeoutMs, isLarge };
}

/**
 * A log of facts: a table written in the transaction of the change itself, read by consumers that each keep
 * a checkpoint. `consumers` are the ones woken after a commit.
 */
export interface EventLog<Fact> {
  /** Also the name of the table and, with `_position`, of its sequence. */
  readonly table: string;
  readonly consumers: readonly string[];
  readonly fact: z.ZodType<Fact>;
}
