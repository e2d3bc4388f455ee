import { sql } from 'kysely';

import type { TestAnswer, TestClient } from '@seneschal/testing';

import type { Stage } from './stage.ts';

export const eventReports = '/_synapse/admin/v1/event_reports';

interface Scene {
  roomId: string;
  eventId: string;
  offender: TestClient;
  reporter: TestClient;
}

export function report(reporter: TestClient, path: string, body: object | string): Promise<TestAnswer> {
  return reporter.request('POST', `/_matrix/client/v3${path}`, { body });
}

export function eventPath(roomId: string, eventId: string): string {
  return `/rooms/${encodeURIComponent(roomId)}/report/${encodeURIComponent(eventId)}`;
}

/** Users of a stage who are rude, and users who report it. */
export class Reporting {
  readonly #stage: Stage;
  #number = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  newUser(): Promise<TestClient> {
    return this.#stage.world.register(`reporter${(this.#number += 1)}`);
  }

  /** A room with a name in which one user was rude to another. */
  async scene(): Promise<Scene> {
    const offender = await this.newUser();
    const reporter = await this.newUser();
    const roomId = await offender.createRoom({ preset: 'public_chat', name: 'The Room' });
    await reporter.join(roomId);
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${(this.#number += 1)}`;
    const sent = await offender.call('PUT', path, { msgtype: 'm.text', body: 'rude words' });
    return { roomId, eventId: sent['event_id'] as string, offender, reporter };
  }

  /** A scene whose event has been reported, with the report's ID. */
  async reported(): Promise<Scene & { id: number }> {
    const made = await this.scene();
    const answer = await report(made.reporter, eventPath(made.roomId, made.eventId), { reason: 'rude' });
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const [, list] = await this.#stage.ask('GET', `${eventReports}?limit=1`);
    return { ...made, id: (list['event_reports'] as { id: number }[])[0]!.id };
  }

  /** Leaves reports of a room that is no more. */
  async takeRoomAway(roomId: string): Promise<void> {
    const { sql: db } = this.#stage.world;
    const room = sql`(SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId})`;
    for (const table of ['roomserver_events', 'roomserver_current_state', 'roomserver_memberships']) {
      await sql`DELETE FROM ${sql.id(table)} WHERE room_nid = ${room}`.execute(db);
    }
    await sql`DELETE FROM roomserver_rooms WHERE room_id = ${roomId}`.execute(db);
  }
}
