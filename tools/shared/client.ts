import { Agent, request as httpRequest } from 'node:http';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export interface RequestOptions {
  token?: string;
  body?: unknown;
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

/** A small HTTP client for one server: keeps connections open, answers with status and JSON body. */
export class HttpClient {
  readonly #address: URL;
  readonly #agent: Agent;

  constructor(address: string, connections = 64) {
    this.#address = new URL(address);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Where the server is. */
  get address(): string {
    return this.#address.origin;
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query).toString()}`;
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent: this.#agent,
        host: this.#address.hostname,
        port: this.#address.port,
        method,
        path: `${path}${query}`,
        headers: {
          ...options.headers,
          ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
          ...(text === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            body: body === '' ? {} : (JSON.parse(body) as Record<string, unknown>),
          });
        });
      });
      request.end(text);
    });
  }

  /** As `request`; any status but 200 is an error that says what was answered. */
  async expect(method: string, path: string, options: RequestOptions = {}): Promise<Record<string, unknown>> {
    const answer = await this.request(method, path, options);
    if (answer.status !== 200) {
      throw new Error(`${method} ${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  close(): void {
    this.#agent.destroy();
  }
}
