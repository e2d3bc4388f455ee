import { accountTypes, type Requester } from '@seneschal/contracts';
import { createLogger, Metrics } from '@seneschal/observability';

import {
  createHttpApp,
  type Endpoint,
  hashToken,
  type HttpOptions,
  listen,
  type Listener,
} from '../src/index.ts';

const requesters: Record<string, Requester> = {
  admin: { userId: '@admin:test.example', deviceId: 'A', accountType: accountTypes.admin },
  user: { userId: '@user:test.example', deviceId: 'U', accountType: accountTypes.user },
  other: { userId: '@other:test.example', deviceId: 'O', accountType: accountTypes.user },
};
const byHash = new Map(Object.entries(requesters).map(([token, one]) => [hashToken(token), one]));

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  text: string;
  headers: Headers;
}

/** The HTTP layer alone: the tokens `admin`, `user` and `other` are known. */
export class TestServer {
  readonly url: string;
  readonly logs: string[];
  readonly #listener: Listener;

  private constructor(listener: Listener, logs: string[]) {
    this.#listener = listener;
    this.url = listener.address;
    this.logs = logs;
  }

  static async start(
    endpoints: readonly Endpoint[],
    options: Partial<HttpOptions> = {},
  ): Promise<TestServer> {
    const logs: string[] = [];
    const app = createHttpApp({
      endpoints,
      userapi: { requesterByToken: (hash) => Promise.resolve(byHash.get(hash)) },
      connections: { seen: () => undefined },
      logger: createLogger('trace', { write: (line) => void logs.push(line) }),
      metrics: new Metrics(),
      audit: undefined,
      rateLimits: false,
      maxBodyBytes: 1000,
      trustedProxies: null,
      administrators: { networks: [], origins: [] },
      checkAnswers: true,
      ...options,
    });
    return new TestServer(await listen(app, { host: '127.0.0.1', port: 0 }, 100), logs);
  }

  async send(method: string, path: string, init: RequestInit & { token?: string } = {}): Promise<Answer> {
    const { token, headers, ...rest } = init;
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...authorization, ...(headers as Record<string, string> | undefined) },
      ...rest,
    });
    const text = await answer.text();
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: answer.status, body, text, headers: answer.headers };
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}

/** Starts a server for one test and stops it afterwards. */
export async function withServer(
  endpoints: readonly Endpoint[],
  work: (server: TestServer) => Promise<void>,
  options: Partial<HttpOptions> = {},
): Promise<void> {
  const server = await TestServer.start(endpoints, options);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

export function errorOf({ status, body }: Answer): [number, unknown] {
  return [status, body['errcode']];
}
