import { roomserver } from '@seneschal/contracts';
import {
  startWorld,
  type TestAnswer,
  type TestClient,
  type World,
  type WorldOptions,
} from '@seneschal/testing';
import { sql } from 'kysely';

/** A world with an administrator and an ordinary user, and short words for what these tests do in it. */
export class Stage {
  readonly world: World;
  readonly admin: TestClient;
  readonly user: TestClient;

  private constructor(world: World, admin: TestClient, user: TestClient) {
    this.world = world;
    this.admin = admin;
    this.user = user;
  }

  static async open(options: WorldOptions = {}): Promise<Stage> {
    const world = await startWorld(options);
    const admin = await world.register('admin', { admin: true });
    return new Stage(world, admin, await world.register('user'));
  }

  stop(): Promise<void> {
    return this.world.stop();
  }

  /** What the administrator is answered, as status and body. */
  async ask(
    method: string,
    path: string,
    body?: object | string,
  ): Promise<[number, Record<string, unknown>]> {
    const answer = await this.admin.request(method, path, body === undefined ? {} : { body });
    return [answer.status, answer.body];
  }

  /** Makes a room of `creator`, who is joined; answers its ID. */
  async room(creator: TestClient, joined: readonly TestClient[] = []): Promise<string> {
    const { roomId } = await this.world.homeserver.platform.bus.call(roomserver.createRoom, {
      creator: creator.userId,
      profile: {},
      preset: 'public_chat',
      listed: false,
      isDirect: false,
      invite: [],
      initialState: [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } }],
      creationContent: {},
    });
    for (const member of joined) {
      await this.change(roomId, 'invite', creator, member);
      await this.change(roomId, 'join', member);
    }
    return roomId;
  }

  async change(
    roomId: string,
    action: 'join' | 'leave' | 'invite' | 'knock' | 'ban',
    sender: TestClient,
    target = sender,
  ): Promise<void> {
    const input = { roomId, action, sender: sender.userId, target: target.userId };
    await this.world.homeserver.platform.bus.call(roomserver.changeMembership, input);
  }

  /** How many leave events of their own a user has in a room. */
  async leaves(roomId: string, userId: string): Promise<number> {
    const found = await sql<{ json: string }>`
      SELECT json FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
      WHERE room_id = ${roomId} AND type = 'm.room.member' AND state_key = ${userId} AND sender = ${userId}
    `.execute(this.world.sql);
    return found.rows.filter(({ json }) => json.includes('"membership":"leave"')).length;
  }

  async memberships(roomId: string): Promise<Record<string, string>> {
    const found = await sql<{ user_id: string; membership: string }>`
      SELECT user_id, membership FROM roomserver_memberships JOIN roomserver_rooms USING (room_nid)
      WHERE room_id = ${roomId}
    `.execute(this.world.sql);
    return Object.fromEntries(found.rows.map((row) => [row.user_id, row.membership]));
  }

  /** Makes the membership event of a user unreadable. */
  async damage(roomId: string, userId: string): Promise<void> {
    await sql`
      UPDATE roomserver_events e SET json = 'no JSON' FROM roomserver_rooms r
      WHERE r.room_nid = e.room_nid AND r.room_id = ${roomId} AND e.state_key = ${userId}
    `.execute(this.world.sql);
  }
}

export function errorOf({ status, body }: Pick<TestAnswer, 'status' | 'body'>): [number, unknown] {
  return [status, body['errcode']];
}

/**
 * The refusals that every endpoint for administrators has in common: 401 before 403, and 403 whether or not
 * there is what was asked for (trap 32).
 */
export function itRefusesOthers(stage: () => Stage, method: string, paths: () => readonly string[]): void {
  it('refuses callers without a token, with an unknown one and without the right, in that order', async () => {
    for (const path of paths()) {
      const { world, user } = stage();
      const body = method === 'POST' ? { body: '{broken' } : {};
      expect(errorOf(await world.request(method, path, body))).toEqual([401, 'M_MISSING_TOKEN']);
      expect(errorOf(await world.request(method, path, { ...body, token: 'none' }))).toEqual([
        401,
        'M_UNKNOWN_TOKEN',
      ]);
      expect(errorOf(await user.request(method, path, body))).toEqual([403, 'M_FORBIDDEN']);
    }
  });
}
