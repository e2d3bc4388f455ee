import { sql } from 'kysely';

import { eventPath, eventReports, report, Reporting } from './reporting.ts';
import { errorOf, Stage } from './stage.ts';

let stage: Stage;
let reporting: Reporting;
beforeAll(async () => {
  stage = await Stage.open();
  reporting = new Reporting(stage);
});
afterAll(() => stage.stop());

describe('event_reports', () => {
  it('shows a report in the list and alone, with the event', async () => {
    const { id, roomId, eventId, offender, reporter } = await reporting.reported();
    const shown = {
      id,
      received_ts: expect.any(Number) as number,
      room_id: roomId,
      event_id: eventId,
      user_id: reporter.userId,
      score: 0,
      reason: 'rude',
      sender: offender.userId,
      canonical_alias: '',
      name: 'The Room',
    };
    const query = `?room_id=${encodeURIComponent(roomId)}`;
    expect(await stage.ask('GET', `${eventReports}${query}`)).toEqual([
      200,
      { event_reports: [shown], total: 1 },
    ]);
    const [status, alone] = await stage.ask('GET', `${eventReports}/${id}`);
    expect([status, alone]).toEqual([200, { ...shown, event_json: expect.any(Object) as object }]);
    expect(alone['event_json']).toMatchObject({ type: 'm.room.message', content: { body: 'rude words' } });
  });

  it('V1: lists two reports of one event, by one user or by two', async () => {
    const { roomId, eventId, reporter, offender } = await reporting.reported();
    await report(reporter, eventPath(roomId, eventId), { reason: 'again', score: -100 });
    await report(offender, eventPath(roomId, eventId), { reason: 'sorry' });
    const [status, list] = await stage.ask('GET', `${eventReports}?room_id=${encodeURIComponent(roomId)}`);
    expect([status, list['total']]).toEqual([200, 3]);
    expect(list['event_reports']).toMatchObject([
      { event_id: eventId, reason: 'sorry' },
      { event_id: eventId, reason: 'again', score: -100 },
      { event_id: eventId, reason: 'rude' },
    ]);
  });

  it('V2: lists and shows reports of a room that is no more', async () => {
    const { id, roomId } = await reporting.reported();
    const after = await reporting.reported();
    await reporting.takeRoomAway(roomId);
    const [status, list] = await stage.ask('GET', `${eventReports}?limit=2`);
    expect(status).toBe(200);
    expect(list['event_reports']).toMatchObject([
      { id: after.id, name: 'The Room' },
      { id, room_id: roomId, name: '', canonical_alias: '' },
    ]);
    expect((await stage.ask('GET', `${eventReports}/${id}`))[0]).toBe(200);
    expect(await stage.ask('DELETE', `${eventReports}/${id}`)).toEqual([200, {}]);
  });

  it('V3: has no reports of a room that there is not', async () => {
    for (const room of ['!unknown:test.example', 'nonsense', '%25']) {
      const [status, list] = await stage.ask('GET', `${eventReports}?room_id=${room}`);
      expect([status, list]).toEqual([200, { event_reports: [], total: 0 }]);
    }
  });

  it('V4: knows no report that there is not', async () => {
    for (const id of ['0', '999999999', '9'.repeat(30)]) {
      expect(errorOf(await stage.admin.request('GET', `${eventReports}/${id}`))).toEqual([
        404,
        'M_NOT_FOUND',
      ]);
      expect(errorOf(await stage.admin.request('DELETE', `${eventReports}/${id}`))).toEqual([
        404,
        'M_NOT_FOUND',
      ]);
    }
    for (const id of ['abc', '-1', '1.5', '1e3']) {
      expect(errorOf(await stage.admin.request('GET', `${eventReports}/${id}`))).toEqual([
        400,
        'M_INVALID_PARAM',
      ]);
    }
    const { id } = await reporting.reported();
    expect((await stage.ask('DELETE', `${eventReports}/${id}`))[0]).toBe(200);
    expect((await stage.ask('DELETE', `${eventReports}/${id}`))[0]).toBe(404);
  });

  it('V4: does not read the members of a room', async () => {
    const { id, roomId } = await reporting.reported();
    await sql`
      INSERT INTO roomserver_memberships (room_nid, user_id, membership, position, is_local)
      SELECT room_nid, '@member' || n || ':elsewhere.example', 'join', 1, false
      FROM roomserver_rooms, generate_series(1, 100000) AS n WHERE room_id = ${roomId}
    `.execute(stage.world.sql);
    const started = performance.now();
    expect((await stage.ask('GET', `${eventReports}?room_id=${encodeURIComponent(roomId)}`))[0]).toBe(200);
    expect((await stage.ask('GET', `${eventReports}/${id}`))[0]).toBe(200);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('shows an event as it was when it was reported', async () => {
    const { id, roomId, eventId, offender } = await reporting.reported();
    await offender.call(
      'PUT',
      `/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/r1`,
      {},
    );
    const [, alone] = await stage.ask('GET', `${eventReports}/${id}`);
    expect(alone['event_json']).toMatchObject({ content: { body: 'rude words' } });
  });

  it('leaves fields empty where a row is damaged', async () => {
    const { id, roomId } = await reporting.reported();
    await sql`UPDATE roomserver_reports SET event_json = '{' WHERE report_id = ${id}`.execute(
      stage.world.sql,
    );
    await sql`UPDATE roomserver_events e SET json = 'no JSON' FROM roomserver_rooms r
      WHERE r.room_nid = e.room_nid AND r.room_id = ${roomId}`.execute(stage.world.sql);
    expect((await stage.ask('GET', `${eventReports}/${id}`))[1]).toMatchObject({
      name: '',
      event_json: null,
    });
    expect((await stage.ask('GET', eventReports))[0]).toBe(200);
  });

  it('goes page by page, in both directions, with the true total', async () => {
    const { roomId, eventId, reporter } = await reporting.scene();
    for (const reason of ['1', '2', '3']) await report(reporter, eventPath(roomId, eventId), { reason });
    const page = async (query: string): Promise<unknown> => {
      const [, list] = await stage.ask(
        'GET',
        `${eventReports}?room_id=${encodeURIComponent(roomId)}&${query}`,
      );
      const reasons = (list['event_reports'] as { reason: string }[]).map((one) => one.reason);
      return [reasons.join(''), list['total'], list['next_token']];
    };
    expect(await page('limit=2')).toEqual(['32', 3, 2]);
    expect(await page('limit=2&from=2')).toEqual(['1', 3, undefined]);
    expect(await page('dir=f&limit=1&from=1')).toEqual(['2', 3, 2]);
    expect(await page('from=9')).toEqual(['', 3, undefined]);
    expect(await page('limit=0')).toEqual(['', 3, undefined]);
  });

  it('finds parts of the identifiers, taken as they stand', async () => {
    const { reporter, offender, roomId } = await reporting.reported();
    const total = async (query: string): Promise<unknown> =>
      (await stage.ask('GET', `${eventReports}?${query}`))[1]['total'];
    const encode = encodeURIComponent;
    expect(await total(`user_id=${encode(reporter.userId)}&room_id=${encode(roomId)}`)).toBe(1);
    expect(await total(`user_id=${encode(reporter.userId.slice(1, 12))}&room_id=${encode(roomId)}`)).toBe(1);
    expect(await total(`event_sender_user_id=${encode(offender.userId)}`)).toBe(1);
    expect(await total(`user_id=${encode('%')}`)).toBe(0);
    expect(await total('user_id=reporter_')).toBe(0);
  });

  it.each(['from=x', 'from=-1', 'limit=x', 'limit=-1', 'dir=x', 'user_id=%00'])(
    'refuses %s',
    async (query) => {
      const answer = await stage.admin.request('GET', `${eventReports}?${query}`);
      expect(errorOf(answer)).toEqual([400, 'M_INVALID_PARAM']);
    },
  );
});
