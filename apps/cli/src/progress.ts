import type { Output } from './host.ts';
import { isFinished, type Job } from './jobs.ts';
import { count, cut, duration, harmless } from './text.ts';

/** Shows how far a job is: a bar that moves on a terminal, elsewhere a line now and then. */
export class Progress {
  readonly #output: Output;
  readonly #now: () => number;
  #lastLine = -Infinity;
  #lastPhase = '';
  #isDrawn = false;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  show(job: Job): void {
    if (this.#output.isTTY === true) this.#draw(job);
    else this.#line(job);
  }

  /** Leaves what was drawn last where it is. */
  end(): void {
    if (this.#isDrawn) this.#output.write('\n');
    this.#isDrawn = false;
  }

  #draw(job: Job): void {
    const width = this.#output.columns ?? 80;
    this.#output.write(`\r\u001b[K${cut(`${bar(job)} ${describe(job)}`, width - 1)}`);
    this.#isDrawn = true;
    if (isFinished(job)) this.end();
  }

  #line(job: Job): void {
    const isDue = this.#now() - this.#lastLine >= 10_000;
    if (!isDue && job.phase === this.#lastPhase && !isFinished(job)) return;
    this.#lastLine = this.#now();
    this.#lastPhase = job.phase;
    this.#output.write(`${describe(job)}\n`);
  }
}

const barWidth = 24;

/** Without a total it fills at the end. */
function bar(job: Job): string {
  const share = isFinished(job) ? 1 : job.total === null || job.total === 0 ? 0 : job.done / job.total;
  const filled = Math.round(Math.min(1, share) * barWidth);
  return `[${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}]`;
}

function describe(job: Job): string {
  const { kind, target, state, phase, done, total, failed_items: failed } = job;
  const share = total === null || total === 0 ? undefined : `${Math.floor((done / total) * 100)} %`;
  const rate = job.items_per_second;
  const parts = [
    total === null ? count(done) : `${count(done)} of ${count(total)}`,
    share,
    state === 'running' ? phase : state,
    failed > 0 ? `${count(failed)} failed` : undefined,
    rate === null || rate === 0 || isFinished(job) ? undefined : `${count(Math.round(rate))}/s`,
    remaining(job),
    `${kind} ${target}`.trim(),
  ];
  return harmless(parts.filter((part) => part !== undefined).join(' · '));
}

function remaining(job: Job): string | undefined {
  if (job.estimated_end_ts === null || isFinished(job)) return undefined;
  const left = job.estimated_end_ts - Date.now();
  return left > 0 ? `${duration(left)} left` : undefined;
}
