import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What a proxy does with connections. */
export type Weather =
  | 'open'
  /** No connection is left, and none can be made. */
  | 'cut'
  /** Everything takes so much longer, each way. */
  | 'slow'
  /** Requests arrive; of the answers nothing does but the end of the connection. */
  | 'answers are lost'
  /** Of what a connection carries to the server the first part arrives; then it is reset. */
  | 'requests are torn';

const slowMs = 50;
/** More than what it takes to set TLS up, less than a transaction that a test has torn. */
const tornAfterBytes = 8000;
/** The type of TLS records of application data. */
const applicationData = 0x17;

/** Stands before a server, on a port that stays, as the network that others reach it by. */
export class Proxy {
  readonly address: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  #weather: Weather = 'open';
  #port: number | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (client) => this.#carry(client));
  }

  static async start(): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server);
  }

  /** Where the server is now; undefined while there is none. */
  forwardTo(port: number | undefined): void {
    this.#port = port;
    this.#dropAll();
  }

  set(weather: Weather): void {
    this.#weather = weather;
    if (weather === 'cut' || weather === 'requests are torn') this.#dropAll();
  }

  async stop(): Promise<void> {
    this.#dropAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #dropAll(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  #carry(client: Socket): void {
    if (this.#port === undefined || this.#weather === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    const seen = new RequestWatch();
    let sent = 0;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.#connections.add(socket);
      socket.on('error', end).on('close', () => {
        this.#connections.delete(socket);
        end();
      });
    }
    this.#pass(client, upstream, (chunk) => {
      sent += chunk.length;
      seen.take(chunk);
      if (this.#weather !== 'requests are torn' || sent <= tornAfterBytes) return true;
      client.resetAndDestroy();
      return false;
    });
    this.#pass(upstream, client, () => {
      if (this.#weather !== 'answers are lost' || !seen.isAsked) return true;
      // Half-closed: what the client has sent goes on to the server.
      client.end();
      return false;
    });
  }

  /** Passes on what `isPassed` lets through, in order. */
  #pass(from: Socket, to: Socket, isPassed: (chunk: Buffer) => boolean): void {
    let before = Promise.resolve();
    const inTurn = (what: () => void): void => {
      const isSlow = this.#weather === 'slow';
      const wait = isSlow ? delay(slowMs) : Promise.resolve();
      before = Promise.all([before, wait]).then(() => {
        if (to.writable) what();
      });
    };
    from.on('data', (chunk: Buffer) => {
      if (isPassed(chunk)) inTurn(() => void to.write(chunk));
    });
    from.on('end', () => inTurn(() => void to.end()));
  }
}

/** Looks for the first request in what a client sends by TLS 1.3: what comes after its `Finished`. */
class RequestWatch {
  #rest = Buffer.alloc(0);
  #records = 0;

  get isAsked(): boolean {
    return this.#records > 1;
  }

  take(chunk: Buffer): void {
    if (this.isAsked) return;
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let length = this.#length(); length <= this.#rest.length; length = this.#length()) {
      if (this.#rest[0] === applicationData) this.#records += 1;
      this.#rest = this.#rest.subarray(length);
    }
    // A record is a request as soon as it begins.
    if (this.#rest[0] === applicationData && this.#records === 1) this.#records += 1;
  }

  /** Of the next record, with its header; Infinity when that has not come. */
  #length(): number {
    return this.#rest.length < 5 ? Infinity : 5 + this.#rest.readUInt16BE(3);
  }
}
