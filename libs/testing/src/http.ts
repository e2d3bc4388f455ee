/** A request of a test. Objects are sent as JSON, strings as they are. */
export interface TestRequest {
  token?: string;
  body?: object | string;
  query?: Record<string, string | number | boolean>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface TestAnswer {
  status: number;
  /** The parsed body; {} when it is empty or no JSON. */
  body: Record<string, unknown>;
  /** The body as it came. */
  text: string;
  headers: Headers;
}

/** Sends one request over HTTP. `path` is sent as it is: escape what stands in it. */
export async function send(
  url: string,
  method: string,
  path: string,
  request: TestRequest = {},
): Promise<TestAnswer> {
  const { token, body, query, headers = {}, signal } = request;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) parameters.set(name, String(value));
  const search = query === undefined ? '' : `?${parameters.toString()}`;
  const answer = await fetch(`${url}${path}${search}`, {
    method,
    headers: { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await answer.text();
  return { status: answer.status, body: parse(text), text, headers: answer.headers };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
