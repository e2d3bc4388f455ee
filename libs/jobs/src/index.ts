export type { Children, EndedChild } from './children.ts';
export type { Action } from './control.ts';
export {
  Fenced,
  handleJob,
  type Item,
  type JobHandler,
  type Progress,
  type Step,
  type StepAnswer,
  type StepContext,
} from './handler.ts';
export { finishedJobs, type JobCount, jobCounts, type LateJobs, lateJobs } from './counts.ts';
export { Jobs, type JobsOptions, type StartJobs } from './jobs.ts';
export { jobsMigrations } from './migrations.ts';
export { jobsReads } from './reads.ts';
export type { Done } from './record.ts';
export type { StartOptions } from './start.ts';
export type { Timing } from './worker.ts';
