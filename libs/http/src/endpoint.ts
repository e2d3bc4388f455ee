import type { z } from 'zod';

import type { AdminScope, Requester } from '@seneschal/contracts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Who may call: anyone, anyone with a token, administrators, or other servers by their signature. */
export type Access = 'public' | 'user' | 'admin' | 'server';

/** What an endpoint reads or changes. A machine's admin token reaches the scopes that it was made with. */
export type Scope = AdminScope;

/** See rate-limits.ts. Endpoints for servers are all of the class 'server', whatever they declare. */
export type RateLimitClass =
  'none' | 'login' | 'register' | 'report' | 'keys' | 'read' | 'write' | 'admin' | 'server';

/** What a handler knows of its request; everything that came in is already checked. */
export interface EndpointRequest<Params, Query, Body, Caller> {
  params: Params;
  query: Query;
  body: Body;
  requester: Caller;
  /** The SHA-256 (base64url) of the access token; empty on public endpoints. */
  tokenHash: string;
  /** The server that asks; empty on endpoints that are not for servers. */
  origin: string;
  ip: string;
  userAgent: string;
  /** The value of a header; undefined when it was not sent. */
  header(name: string): string | undefined;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}

/** The types of body that an endpoint may answer with; 'none' is an empty one. */
export type ContentType =
  'application/json' | 'application/x-ndjson' | 'text/event-stream' | 'text/html' | 'text/plain' | 'none';

/** An object is sent as JSON, a text as it is, an iterable piece by piece as the client takes it. */
export type ReplyBody = object | string | AsyncIterable<string>;

/** An answer that is not 200 with a JSON body; without a body it is empty. */
export class Reply {
  readonly status: number;
  readonly body: ReplyBody | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body?: ReplyBody, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/**
 * How a body is read. 'json': one JSON value and nothing after it. 'go': as Go's decoder reads it — the first
 * value counts, what follows is ignored, null stands for {}, keys match in any case — for the endpoints
 * whose clients were written against Dendrite. Neither looks at the content type.
 */
export type BodyStyle = 'json' | 'go';

type AnyRequest = EndpointRequest<unknown, unknown, unknown, Requester>;

/** Whether a call goes into the audit log; a function decides when the parameters are known. */
export type Audit = boolean | ((request: Pick<AnyRequest, 'params' | 'requester'>) => boolean);

export interface Endpoint {
  readonly method: Method;
  /** Paths with `:name` for parameters; one segment each. */
  readonly paths: readonly string[];
  readonly access: Access;
  readonly rateLimit: RateLimitClass;
  /** Whether it belongs to the admin API, which may be kept to some networks and origins. */
  readonly isAdminApi: boolean;
  /** Whether users whose account is locked may call it. */
  readonly forLocked: boolean;
  /** Whether users whose account is suspended may call it. */
  readonly forSuspended: boolean;
  readonly scope: Scope;
  readonly audit: Audit;
  readonly summary: string;
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly bodyStyle: BodyStyle;
  /** Whether a missing body counts as {}. */
  readonly bodyOptional: boolean;
  /** What a body that is no JSON is answered with. */
  readonly brokenBody: 'M_NOT_JSON' | 'M_BAD_JSON';
  readonly answer: z.ZodType;
  /** The content type of the answer; only that of JSON is held against `answer`. */
  readonly produces: ContentType;
  /** Answers with a status other than 200 that are no error, or an error with more than errcode and error. */
  readonly otherAnswers: Readonly<Record<number, z.ZodType>>;
  readonly before: ((params: unknown) => Promise<void>) | undefined;
  readonly handle: (request: AnyRequest) => Promise<object>;
}

type Output<S> = S extends z.ZodType<infer T> ? T : undefined;

interface Declaration<A extends Access, P, Q, B, R> {
  method: Method;
  path: string | readonly string[];
  access: A;
  /** What administrators may call is never without a limit: a stolen token is limited too. */
  rateLimit: A extends 'admin' ? Exclude<RateLimitClass, 'none'> : RateLimitClass;
  /** Unless said otherwise what is for administrators: others prove in another way that they may. */
  isAdminApi?: boolean;
  /** Not unless said so. */
  forLocked?: boolean;
  /** Unless said otherwise: suspended users may read, and tidy up. */
  forSuspended?: boolean;
  /** Of endpoints for administrators; 'server', which the fewest have, unless said otherwise. */
  scope?: Scope;
  /** Unless said otherwise every call for administrators is kept, reads of what is private included. */
  audit?: Audit;
  /** One line for OpenAPI and the tables in docs/. */
  summary: string;
  params?: P;
  query?: Q;
  body?: B;
  bodyStyle?: BodyStyle;
  bodyOptional?: boolean;
  brokenBody?: 'M_NOT_JSON' | 'M_BAD_JSON';
  answer: R;
  produces?: ContentType;
  otherAnswers?: Record<number, z.ZodType>;
  /** Checks that come before the body is looked at. */
  before?: (params: Output<P>) => Promise<void>;
  handle: (
    request: EndpointRequest<
      Output<P>,
      Output<Q>,
      Output<B>,
      A extends 'public' | 'server' ? undefined : Requester
    >,
  ) => Promise<Output<R> | Reply>;
}

/** Declares an endpoint: routing, checks, rate limit, metrics and OpenAPI all come out of this. */
export function endpoint<
  A extends Access,
  R extends z.ZodType<object>,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(declaration: Declaration<A, P, Q, B, R>): Endpoint {
  return {
    method: declaration.method,
    paths: typeof declaration.path === 'string' ? [declaration.path] : declaration.path,
    access: declaration.access,
    rateLimit: declaration.rateLimit,
    isAdminApi: declaration.isAdminApi ?? declaration.access === 'admin',
    forLocked: declaration.forLocked ?? false,
    forSuspended: declaration.forSuspended ?? true,
    scope: declaration.scope ?? 'server',
    audit: declaration.audit ?? declaration.access === 'admin',
    summary: declaration.summary,
    params: declaration.params,
    query: declaration.query,
    body: declaration.body,
    bodyStyle: declaration.bodyStyle ?? 'json',
    bodyOptional: declaration.bodyOptional ?? false,
    brokenBody: declaration.brokenBody ?? 'M_NOT_JSON',
    answer: declaration.answer,
    produces: declaration.produces ?? 'application/json',
    otherAnswers: declaration.otherAnswers ?? {},
    before: declaration.before as Endpoint['before'],
    handle: declaration.handle as Endpoint['handle'],
  };
}

/** The paths of a client-server endpoint: `/_matrix/client/v3/…` and its older form under r0. */
export function clientPaths(path: string): string[] {
  return [`/_matrix/client/v3${path}`, `/_matrix/client/r0${path}`];
}
