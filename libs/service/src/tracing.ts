import type { Config } from '@seneschal/config';
import { type Lifecycle, type Logger, type Metrics, openTracer, type Tracer } from '@seneschal/observability';

export interface TracingDeps {
  /** The program. */
  name: string;
  logger: Logger;
  metrics: Pick<Metrics, 'spans'>;
  lifecycle: Lifecycle;
}

/** A collector that is away is complained of so often at the most. */
const complainEveryMs = 60_000;

/** Opens the way to the collector, if one is configured; what is not sent yet is sent at the end. */
export async function openTracing(config: Config, deps: TracingDeps): Promise<Tracer | undefined> {
  const { name, logger, metrics, lifecycle } = deps;
  if (config.tracing_endpoint === null) return undefined;
  let complainedAt = -Infinity;
  return lifecycle.add(
    await openTracer({
      endpoint: config.tracing_endpoint,
      headers: headersOf(config.tracing_headers),
      sampleRatio: config.tracing_sample_ratio,
      serviceName: config.tracing_service_name,
      processName: name,
      exported: (spans, error) => {
        metrics.spans(error === undefined ? 'sent' : 'lost', spans);
        if (error === undefined || performance.now() - complainedAt < complainEveryMs) return;
        complainedAt = performance.now();
        logger.warn({ spans, reason: reasonOf(error) }, 'traces do not reach their collector');
      },
    }),
  );
}

function headersOf(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf('=');
      return [item.slice(0, at), item.slice(at + 1)];
    }),
  );
}

/** Not its message, which may quote the address or the answer. */
function reasonOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
