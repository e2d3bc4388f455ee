import { command, type EventLog } from '@seneschal/contracts';
import { z } from 'zod';

/** Adds to a balance: what is done twice shows. */
export const deposit = command('userapi', 'deposit', {
  input: z.object({ account: z.string().max(50), amount: z.number() }),
  output: z.object({ balance: z.number() }),
  timeoutMs: 20_000,
});

export const greet = command('userapi', 'greet', {
  input: z.object({ name: z.string() }),
  output: z.object({ greeting: z.string() }),
  timeoutMs: 5000,
});

/** Of an input that may be large: answers how long it is. */
export const measure = command('userapi', 'measure', {
  input: z.object({ text: z.string() }),
  output: z.object({ length: z.number() }),
  timeoutMs: 20_000,
  isLarge: true,
});

const deposited = z.object({ account: z.string(), amount: z.number() });
export type Deposited = z.infer<typeof deposited>;

/** What `deposit` writes, and what its first consumer makes of it for the second. */
export const depositLog: EventLog<Deposited> = {
  table: 'deposit_output',
  consumers: ['deposit-first'],
  fact: deposited,
};
export const passedLog: EventLog<Deposited> = {
  table: 'passed_output',
  consumers: ['deposit-second'],
  fact: deposited,
};

/** A promise with its resolve function apart. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
