import { isServerName } from '@seneschal/matrix';
import { z } from 'zod';

import { listOf, setting, url } from './setting.ts';

/** A name of a header, an equals sign and a value of visible characters and spaces. */
const header = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}=[ -~]{1,2000}$/;

/** Whether, where to and how much of the work is traced. */
export const tracingSettings = {
  tracing_endpoint: setting(
    'SENESCHAL_TRACING_ENDPOINT',
    null,
    url(/^https?:\/\/[^/?#@\s]+\//, 'http://127.0.0.1:4318/v1/traces').nullable(),
    'Where traces are sent in the format of OpenTelemetry (OTLP over HTTP). Nothing is traced when not set.',
  ),
  tracing_headers: setting(
    'SENESCHAL_TRACING_HEADERS',
    '',
    listOf((item) => header.test(item), 'is a list of headers such as x-api-key=…, separated by commas'),
    'Headers of the requests to that address, such as `authorization=Bearer …`.',
    true,
  ),
  tracing_sample_ratio: setting(
    'SENESCHAL_TRACING_SAMPLE_RATIO',
    1,
    z.coerce.number('is a number from 0 to 1').min(0, 'is at least 0').max(1, 'is at most 1'),
    'The part of the traces that is recorded, from 0 to 1. Chosen by the trace ID, so that all processes choose alike.',
  ),
  tracing_service_name: setting(
    'SENESCHAL_TRACING_SERVICE_NAME',
    'seneschal',
    z.string().min(1, 'is empty').max(255, 'is longer than 255 characters'),
    'What the server is called in traces.',
  ),
  tracing_servers: setting(
    'SENESCHAL_TRACING_SERVERS',
    '',
    listOf((item) => item === '*' || isServerName(item), 'is a list of server names, or *'),
    'Other homeservers that requests tell their `traceparent`, so that both traces are one; `*` for all.',
  ),
} as const;
