import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Sample {
  labels?: Record<string, string>;
  value: number;
}

/** Adds to what is counted under labels. */
export type Count = (labels: Record<string, string>, by?: number) => void;

/** Node's own figures (CPU, memory, event loop, garbage collection): one set for the whole process. */
let ofProcess: Registry | undefined;

function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** What one process counts and measures, in the form that Prometheus reads. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #httpSeconds: Histogram;
  readonly #commandSeconds: Histogram;
  readonly #auditFailures: Counter;
  readonly #spans: Counter;
  readonly #counters = new Map<string, Counter>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    const registers = [this.#registry];
    this.#httpSeconds = new Histogram({
      name: 'seneschal_http_request_seconds',
      help: 'Requests by route as declared, from their arrival to the end of the answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    });
    this.#commandSeconds = new Histogram({
      name: 'seneschal_command_seconds',
      help: 'Commands handled by this process; outcome is ok or the status of the refusal',
      labelNames: ['component', 'command', 'outcome'],
      buckets: [0.002, 0.01, 0.05, 0.25, 1, 5, 30],
      registers,
    });
    this.#auditFailures = new Counter({
      name: 'seneschal_audit_failures_total',
      help: 'Admin calls whose row in the audit log could not be written',
      registers,
    });
    this.#spans = new Counter({
      name: 'seneschal_trace_spans_total',
      help: 'Spans of traces that the collector took, or that were lost on the way to it',
      labelNames: ['outcome'],
      registers,
    });
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.#httpSeconds.observe({ method, route, status: String(status) }, seconds);
  }

  command(component: string, command: string, outcome: string, seconds: number): void {
    this.#commandSeconds.observe({ component, command, outcome }, seconds);
  }

  auditFailed(): void {
    this.#auditFailures.inc();
  }

  spans(outcome: 'sent' | 'lost', count: number): void {
    this.#spans.inc({ outcome }, count);
  }

  /** What else is counted, by whoever counts it; a name that is known already is the same counter. */
  counter(name: string, help: string, labelNames: readonly string[]): Count {
    const counter =
      this.#counters.get(name) ??
      new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
    this.#counters.set(name, counter);
    return (labels, by = 1) => counter.inc(labels, by);
  }

  /** Likewise for times, in seconds. */
  histogram(
    name: string,
    help: string,
    labelNames: readonly string[],
    buckets: readonly number[],
  ): (labels: Record<string, string>, seconds: number) => void {
    const given = { name, help, labelNames: [...labelNames], buckets: [...buckets] };
    const histogram = this.#histograms.get(name) ?? new Histogram({ ...given, registers: [this.#registry] });
    this.#histograms.set(name, histogram);
    return (labels, seconds) => histogram.observe(labels, seconds);
  }

  /**
   * A figure that is read when it is asked for. While it cannot be read it is left out, and the others are
   * told all the same.
   */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Promise<Sample[]> | Sample[],
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect: async () => {
        clear();
        try {
          for (const { labels = {}, value } of await read()) gauge.set(labels, value);
        } catch {
          // Prometheus tells an absent figure from zero.
          clear();
        }
      },
    });
    const clear = (): void => {
      gauge.reset();
      // One without labels would begin at 0, which nobody has measured.
      if (labelNames.length === 0) gauge.remove();
    };
  }

  /** Everything, in Prometheus's text format. */
  async text(): Promise<string> {
    return Registry.merge([processRegistry(), this.#registry]).metrics();
  }
}
