import type { HttpClient } from '../shared/client.ts';
import { at, text, type User } from '../shared/matrix.ts';

interface ClientEvent {
  event_id: string;
  type: string;
  state_key?: string;
}

/** What a client knows of a room. */
export interface RoomView {
  /** Event IDs from the last one of the first sync on, as they were told; gaps are filled from `/messages`. */
  timeline: string[];
  /** By type and state key, the event ID. */
  state: Map<string, string>;
}

/** How long a sync waits at the server for news, in ms. */
const longPollMs = 1000;
const filter = JSON.stringify({ room: { timeline: { limit: 20 } } });

/** A client that does nothing but follow its rooms: what it knows of them comes from `/sync` alone. */
export class View {
  readonly rooms = new Map<string, RoomView>();
  readonly #client: HttpClient;
  readonly #user: User;
  #since: string | undefined;
  /** Syncs that there were. */
  syncs = 0;

  constructor(client: HttpClient, user: User) {
    this.#client = client;
    this.#user = user;
  }

  /** Follows the rooms for as long as `goesOn`. */
  async follow(goesOn: () => boolean): Promise<void> {
    while (goesOn()) await this.sync(longPollMs);
  }

  /** Syncs until nothing is new. Every event that was answered before the call has been told afterwards. */
  async catchUp(): Promise<void> {
    while (await this.sync(0));
  }

  /** Answers whether there was anything new. The first one only tells where the client begins. */
  async sync(timeoutMs: number): Promise<boolean> {
    const since = this.#since;
    const query = { filter, timeout: String(timeoutMs), ...(since === undefined ? {} : { since }) };
    const answer = await this.#client.expect('GET', '/_matrix/client/v3/sync', {
      token: this.#user.token,
      query,
    });
    this.syncs += 1;
    const rooms = [...roomsOf(answer, 'join'), ...roomsOf(answer, 'leave')];
    for (const [roomId, room] of rooms) await this.#take(roomId, room);
    this.#since = text(answer['next_batch']);
    return rooms.length > 0;
  }

  async #take(roomId: string, room: unknown): Promise<void> {
    const told = eventsOf(at(room, 'timeline', 'events'));
    const known = this.rooms.get(roomId);
    const view = known ?? { timeline: [], state: new Map<string, string>() };
    this.rooms.set(roomId, view);
    for (const event of [...eventsOf(at(room, 'state', 'events')), ...told]) setState(view, event);
    if (known !== undefined && at(room, 'timeline', 'limited') === true) {
      view.timeline.push(...(await this.#gap(view, roomId, text(at(room, 'timeline', 'prev_batch')))));
    }
    const eventIds = told.map((event) => event.event_id);
    view.timeline.push(...(known === undefined ? eventIds.slice(-1) : eventIds));
  }

  /** The events between the last one that is known and a token, oldest first. */
  async #gap({ timeline }: RoomView, roomId: string, from: string): Promise<string[]> {
    const found: string[] = [];
    for (let next: string | undefined = from; next !== undefined;) {
      const page: Record<string, unknown> = await this.#client.expect(
        'GET',
        `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages`,
        { token: this.#user.token, query: { dir: 'b', from: next, limit: '100' } },
      );
      for (const { event_id: eventId } of eventsOf(page['chunk'])) {
        if (eventId === timeline.at(-1)) return found.reverse();
        found.push(eventId);
      }
      next = page['end'] === undefined ? undefined : text(page['end']);
    }
    throw new Error(`The gap in ${roomId} goes back to its beginning.`);
  }
}

function setState(view: RoomView, event: ClientEvent): void {
  if (event.state_key !== undefined) view.state.set(keyOf(event.type, event.state_key), event.event_id);
}

/** The key of `RoomView.state`. */
export function keyOf(type: string, stateKey: string): string {
  return `${type} ${stateKey}`;
}

function roomsOf(answer: unknown, section: string): [string, unknown][] {
  return Object.entries(at(answer, 'rooms', section) ?? {});
}

export function eventsOf(value: unknown): ClientEvent[] {
  return value as ClientEvent[];
}
