import { send, type TestAnswer, type TestRequest } from './http.ts';

/** A user of a test world, acting over HTTP. */
export class TestClient {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
  readonly #url: string;

  constructor(url: string, session: { userId: string; deviceId: string; token: string }) {
    this.#url = url;
    this.userId = session.userId;
    this.deviceId = session.deviceId;
    this.token = session.token;
  }

  request(method: string, path: string, request: TestRequest = {}): Promise<TestAnswer> {
    return send(this.#url, method, path, { token: this.token, ...request });
  }

  /** The body of a request that has to succeed. `path` is below /_matrix/client/v3. */
  async call(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.request(
      method,
      `/_matrix/client/v3${path}`,
      body === undefined ? {} : { body },
    );
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** Makes a room; answers its ID. */
  async createRoom(body: object = {}): Promise<string> {
    return (await this.call('POST', '/createRoom', body))['room_id'] as string;
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.call('POST', `/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: userId });
  }

  async join(roomId: string): Promise<void> {
    await this.call('POST', `/rooms/${encodeURIComponent(roomId)}/join`, {});
  }

  async leave(roomId: string): Promise<void> {
    await this.call('POST', `/rooms/${encodeURIComponent(roomId)}/leave`, {});
  }

  async joinedRooms(): Promise<string[]> {
    return (await this.call('GET', '/joined_rooms'))['joined_rooms'] as string[];
  }
}
