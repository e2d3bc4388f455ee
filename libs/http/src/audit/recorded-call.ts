import type { Request } from 'express';

import type { AuditedCall, AuditedResult, AuditTrail, Requester } from '@seneschal/contracts';
import { isMatrixError, MatrixError } from '@seneschal/matrix';
import { currentTraceId, type Logger, type Metrics } from '@seneschal/observability';

import { addressOf } from '../address.ts';
import type { Endpoint, Reply } from '../endpoint.ts';
import { shortened, withoutSecrets } from './without-secrets.ts';

export interface RecordedRequest {
  endpoint: Endpoint;
  request: Request;
  query: URLSearchParams;
  /** Undefined for a registration by shared secret. */
  requester: Requester | undefined;
  tokenHash: string;
}

interface Observed {
  logger: Logger;
  metrics: Metrics;
}

interface Input {
  params: unknown;
  query: unknown;
  body: unknown;
}

/** The header by which an answer names the job that does what was asked for. */
export const jobHeader = 'Seneschal-Job-Id';

/** Keys of a body that name what a call is about. */
const targetKeys = ['user_id', 'room_id', 'username', 'server_name'];
const longestTarget = 255;

/** One admin call on its way into the audit log. */
export class RecordedCall {
  readonly #trail: AuditTrail;
  readonly #observed: Observed;
  readonly #given: RecordedRequest;
  readonly #call: AuditedCall;
  readonly #started = performance.now();
  #noteId: string | undefined;
  #isWanted: boolean;

  constructor(trail: AuditTrail, observed: Observed, given: RecordedRequest) {
    this.#trail = trail;
    this.#observed = observed;
    this.#given = given;
    this.#call = callOf(given);
    this.#isWanted = given.endpoint.audit === true;
  }

  /**
   * Takes in what the call is about and, when it changes something, notes it before that happens. Throws 503
   * when it cannot be noted: then nothing is to happen.
   */
  async begin(input: Input): Promise<void> {
    const { endpoint, requester } = this.#given;
    if (typeof endpoint.audit === 'function') {
      this.#isWanted = endpoint.audit({ params: input.params, requester: requester as Requester });
    }
    this.#call.targets = targetsOf(input);
    this.#call.arguments = withoutSecrets(input.body);
    this.#call.reason ??= reasonOf(input.body);
    if (!this.#isWanted || endpoint.scope === 'read') return;
    this.#noteId = await this.#trail.begin(this.#call).catch((error: unknown) => this.#refuse(error));
  }

  /** Records an answer. What only tells something is not told when that cannot be recorded. */
  async answered(reply: Reply): Promise<void> {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    const result = this.#resultOf(reply.status, null, reply.headers[jobHeader] ?? null);
    await this.#trail.end(this.#noteId, this.#call, result).catch((error: unknown) => {
      if (this.#noteId === undefined) this.#refuse(error);
      // It has happened. Its note stays, and becomes a row without an outcome.
      this.#report(error, 'what came of an admin call could not be recorded');
    });
  }

  /** Records a refusal or a failure; of calls by nobody only that they came to nothing is true, so they go. */
  async failed(error: unknown): Promise<void> {
    if (!this.#isWanted) return;
    const known = isMatrixError(error) ? error : undefined;
    const result = this.#resultOf(known?.status ?? 500, known?.errcode ?? 'M_UNKNOWN', null);
    try {
      if (this.#given.requester !== undefined) await this.#trail.end(this.#noteId, this.#call, result);
      else if (this.#noteId !== undefined) await this.#trail.drop(this.#noteId);
    } catch (cause) {
      this.#report(cause, 'what came of an admin call could not be recorded');
    }
  }

  #resultOf(status: number, errcode: string | null, jobId: string | null): AuditedResult {
    return { status, errcode, job_id: jobId, duration_ms: Math.round(performance.now() - this.#started) };
  }

  #report(error: unknown, what: string): void {
    this.#observed.metrics.auditFailed();
    this.#observed.logger.error({ error }, what);
  }

  #refuse(error: unknown): never {
    this.#report(error, 'an admin call could not be recorded and was refused');
    throw new MatrixError(503, 'M_UNKNOWN', 'The audit log cannot be written, so nothing was done.');
  }
}

function callOf({ endpoint, request, query, requester, tokenHash }: RecordedRequest): AuditedCall {
  const reason = query.get('reason');
  return {
    ts: Date.now(),
    actor: requester?.userId ?? 'shared secret',
    device_id: requester?.adminToken === undefined ? (requester?.deviceId ?? null) : null,
    admin_token: requester?.adminToken?.name ?? null,
    token_digest: tokenHash.slice(0, 12),
    ip: addressOf(request),
    user_agent: shortened(request.get('user-agent') ?? '', 512),
    action: `${endpoint.method} ${endpoint.paths[0] ?? ''}`,
    targets: [],
    query: withoutSecrets(Object.fromEntries(query)) as Record<string, unknown>,
    arguments: null,
    reason: reason === null ? null : shortened(reason),
    trace_id: currentTraceId(),
  };
}

function targetsOf({ params, body }: Input): string[] {
  const inBody = isRecord(body) ? targetKeys.map((key) => body[key]) : [];
  const all = [...(isRecord(params) ? Object.values(params) : []), ...inBody];
  const texts = all.filter((one) => typeof one === 'string' && one !== '') as string[];
  return [...new Set(texts.map((text) => shortened(text, longestTarget)))];
}

function reasonOf(body: unknown): string | null {
  const reason = isRecord(body) ? body['reason'] : undefined;
  return typeof reason === 'string' ? shortened(reason) : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
