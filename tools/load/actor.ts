import type { HttpClient } from '../shared/client.ts';
import { at, text, type User } from '../shared/matrix.ts';
import { Dice } from './dice.ts';

/** What was accepted, by what it was: each of them has to be in its room once. */
export interface Accepted {
  roomId: string;
  eventId: string;
}

export interface ActorOptions {
  user: User;
  /** Gateways, of which each request takes one. */
  clients: readonly HttpClient[];
  roomIds: readonly string[];
  /** Of ordinary users, whose power levels change. */
  userIds: readonly string[];
  isAdmin: boolean;
  /** Stays in all rooms. */
  stays: boolean;
  seed: number;
}

const encode = encodeURIComponent;
/** How often each thing is done, of a hundred; what is left are messages. */
const shares = { membership: 0.18, topic: 0.08, powerLevels: 0.25 };
/** Messages that are sent twice at once, as by a client that lost its connection. */
const repeated = 0.1;

/** A client that writes: as fast as it is answered, one request after the other. */
export class Actor {
  readonly messages: Accepted[] = [];
  readonly states: Accepted[] = [];
  /** Requests that the room did not allow. */
  refusals = 0;
  /** Answers that there should be none of. */
  readonly failures: string[] = [];
  readonly #options: ActorOptions;
  readonly #dice: Dice;
  readonly #outside = new Set<string>();
  #actions = 0;

  constructor(options: ActorOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed);
  }

  async act(goesOn: () => boolean): Promise<void> {
    while (goesOn()) await this.#actOnce();
  }

  /** Comes back into the rooms that it left. */
  async comeBack(): Promise<void> {
    for (const roomId of [...this.#outside]) await this.#changeMembership(roomId);
  }

  async #actOnce(): Promise<void> {
    const { isAdmin, stays, roomIds } = this.#options;
    const roomId = this.#dice.one(roomIds);
    this.#actions += 1;
    if (this.#dice.happens(shares.membership) && !stays) await this.#changeMembership(roomId);
    else if (this.#dice.happens(shares.topic)) await this.#setTopic(roomId);
    else if (isAdmin && this.#dice.happens(shares.powerLevels)) await this.#changePowerLevels(roomId);
    else await this.#sendMessage(roomId);
  }

  async #sendMessage(roomId: string): Promise<void> {
    const name = this.#name();
    const path = `/_matrix/client/v3/rooms/${encode(roomId)}/send/m.room.message/${name}`;
    const body = { msgtype: 'm.text', body: name };
    const times = this.#dice.happens(repeated) ? 2 : 1;
    const eventIds = await Promise.all(Array.from({ length: times }, () => this.#request('PUT', path, body)));
    const answered = new Set(eventIds.filter((eventId) => eventId !== undefined));
    if (answered.size > 1) this.failures.push(`one transaction made ${[...answered].join(' and ')}`);
    for (const eventId of answered) this.messages.push({ roomId, eventId });
  }

  async #setTopic(roomId: string): Promise<void> {
    await this.#setState(roomId, 'm.room.topic', { topic: this.#name() });
  }

  /** Of one of the users, or of what setting the topic and sending take. */
  async #changePowerLevels(roomId: string): Promise<void> {
    const { userIds, user } = this.#options;
    const path = `/_matrix/client/v3/rooms/${encode(roomId)}/state/m.room.power_levels`;
    const { body } = await this.#dice.one(this.#options.clients).request('GET', path, { token: user.token });
    const users = { ...(at(body, 'users') ?? {}), [this.#dice.one(userIds)]: this.#dice.one([0, 10, 20]) };
    const events = { ...(at(body, 'events') ?? {}), 'm.room.topic': this.#dice.one([0, 10]) };
    const content = { ...body, users, events, events_default: this.#dice.one([0, 0, 0, 10]) };
    await this.#setState(roomId, 'm.room.power_levels', content);
  }

  async #setState(roomId: string, type: string, content: object): Promise<void> {
    const eventId = await this.#request(
      'PUT',
      `/_matrix/client/v3/rooms/${encode(roomId)}/state/${type}`,
      content,
    );
    if (eventId !== undefined) this.states.push({ roomId, eventId });
  }

  async #changeMembership(roomId: string): Promise<void> {
    const isOutside = this.#outside.delete(roomId);
    if (!isOutside) this.#outside.add(roomId);
    await this.#request(
      'POST',
      `/_matrix/client/v3/rooms/${encode(roomId)}/${isOutside ? 'join' : 'leave'}`,
      {},
    );
  }

  /** The event ID of the answer, if there is one. */
  async #request(method: string, path: string, body: object): Promise<string | undefined> {
    const { token } = this.#options.user;
    const answer = await this.#dice.one(this.#options.clients).request(method, path, { token, body });
    if (answer.status === 200)
      return answer.body['event_id'] === undefined ? undefined : text(answer.body['event_id']);
    this.refusals += 1;
    if (answer.status !== 403 || answer.body['errcode'] !== 'M_FORBIDDEN')
      this.failures.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return undefined;
  }

  /** That nothing else has, of this client. */
  #name(): string {
    return `${this.#options.seed}-${this.#actions}`;
  }
}
