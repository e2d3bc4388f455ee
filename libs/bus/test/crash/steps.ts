/** Where the worker of these tests can be halted, from the beginning of a command to the end of what follows it. */
export const commandSteps = ['begun', 'written', 'committed', 'woken'] as const;
export const consumerSteps = ['first begun', 'first applied', 'first committed', 'second applied'] as const;
export const steps = [...commandSteps, ...consumerSteps] as const;
export type Step = (typeof steps)[number];
