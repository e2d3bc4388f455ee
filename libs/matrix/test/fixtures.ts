import {
  buildEvent,
  newEventId,
  parseSigningKey,
  roomVersion,
  type AuthState,
  type BuiltEvent,
  type JsonObject,
  type Pdu,
  type ProtoEvent,
  type RoomVersion,
  type SigningKey,
} from '../src/index.ts';

export const SPEC_KEY: SigningKey = parseSigningKey('ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1');
export const SIGNER = { serverName: 'here', key: SPEC_KEY };
export const ALICE = '@alice:here';
export const BOB = '@bob:here';
export const CAROL = '@carol:there';

/** For `toThrow`: any error with this errcode. */
export function failure(errcode: string): Error {
  return expect.objectContaining({ errcode }) as Error;
}

type Sketch = Partial<ProtoEvent> & { type: string; sender: string; content: JsonObject };

/** A room with a real create event; `state` is what the next event is judged by. */
export class TestRoom implements AuthState {
  readonly version: RoomVersion;
  readonly create: BuiltEvent;
  readonly state = new Map<string, Pdu>();

  constructor(version: string, createContent: JsonObject = {}) {
    this.version = roomVersion(version);
    const hashed = this.version.roomIdIsCreateHash;
    this.create = buildEvent(
      {
        ...protoOf(this.version, {
          type: 'm.room.create',
          sender: ALICE,
          state_key: '',
          content: {
            room_version: version,
            ...(this.version.implicitRoomCreator ? {} : { creator: ALICE }),
            ...createContent,
          },
        }),
        ...(hashed ? {} : { room_id: '!room:here' }),
      },
      this.version,
      SIGNER,
    );
    this.put(this.create.pdu);
  }

  get roomId(): string {
    return this.create.roomId;
  }

  get(type: string, stateKey: string): Pdu | undefined {
    return this.state.get(`${type}\0${stateKey}`);
  }

  put(pdu: Pdu): this {
    this.state.set(`${pdu.type}\0${pdu.state_key ?? ''}`, pdu);
    return this;
  }

  /** An event in this room, neither hashed nor signed: the rules do not look at either. */
  event(sketch: Sketch): Pdu {
    return {
      ...proto({ room_id: this.roomId, prev_events: ['$before'], ...sketch }),
      hashes: { sha256: '' },
      signatures: {},
    };
  }

  member(userId: string, membership: string, sender = userId, content: JsonObject = {}): Pdu {
    return this.event({
      type: 'm.room.member',
      sender,
      state_key: userId,
      content: { membership, ...content },
    });
  }

  withMember(userId: string, membership: string): this {
    return this.put(this.member(userId, membership));
  }

  withState(type: string, content: JsonObject, sender = ALICE, stateKey = ''): this {
    return this.put(this.event({ type, sender, state_key: stateKey, content }));
  }
}

/** What `buildEvent` takes in a room version: in 1 and 2 with the ID that the server gives the event. */
export function protoOf(version: RoomVersion, sketch: Sketch): ProtoEvent {
  return proto(version.eventIdFormat === 'in-event' ? { event_id: newEventId('here'), ...sketch } : sketch);
}

export function proto(sketch: Sketch): ProtoEvent {
  return { origin_server_ts: 1, prev_events: [], auth_events: [], depth: 1, ...sketch };
}
