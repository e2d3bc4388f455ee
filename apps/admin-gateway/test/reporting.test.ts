import { roomserver } from '@seneschal/contracts';
import { startWorld } from '@seneschal/testing';

import { eventPath, eventReports, report, Reporting } from './reporting.ts';
import { errorOf, Stage } from './stage.ts';

let stage: Stage;
let reporting: Reporting;
beforeAll(async () => {
  stage = await Stage.open();
  reporting = new Reporting(stage);
});
afterAll(() => stage.stop());

describe('reporting', () => {
  it('an event takes a member of its room', async () => {
    const { roomId, eventId, reporter } = await reporting.scene();
    const stranger = await reporting.newUser();
    const path = eventPath(roomId, eventId);
    expect(errorOf(await report(stranger, path, { reason: 'x' }))).toEqual([404, 'M_NOT_FOUND']);
    const unknown = await report(reporter, eventPath(roomId, '$unknown'), { reason: 'x' });
    expect(errorOf(unknown)).toEqual([404, 'M_NOT_FOUND']);
    const elsewhere = await report(reporter, eventPath('!no:test.example', eventId), {});
    expect(errorOf(elsewhere)).toEqual([404, 'M_NOT_FOUND']);
    expect((await report(reporter, path, {})).status).toBe(200);
    await reporter.leave(roomId);
    expect(errorOf(await report(reporter, path, {}))).toEqual([404, 'M_NOT_FOUND']);
  });

  it.each([
    ['no body', ''],
    ['broken JSON', '{x'],
    ['a number for the reason', { reason: 5 }],
    ['text for the score', { score: 'bad' }],
    ['a score above 0', { score: 1 }],
    ['a reason that is too long', { reason: 'x'.repeat(4097) }],
    ['a NUL in the reason', { reason: 'a\0' }],
  ])('an event is refused with %s, and nothing is stored', async (_, body) => {
    const { roomId, eventId, reporter } = await reporting.scene();
    const answer = await report(reporter, eventPath(roomId, eventId), body);
    expect(errorOf(answer)).toEqual([400, 'M_BAD_JSON']);
    const [, list] = await stage.ask('GET', `${eventReports}?room_id=${encodeURIComponent(roomId)}`);
    expect(list).toEqual({ event_reports: [], total: 0 });
  });

  it('a room takes no membership, and a reason', async () => {
    const { roomId } = await reporting.scene();
    const stranger = await reporting.newUser();
    const path = `/rooms/${encodeURIComponent(roomId)}/report`;
    expect((await report(stranger, path, { reason: '' })).status).toBe(200);
    expect(errorOf(await report(stranger, path, {}))).toEqual([400, 'M_MISSING_PARAM']);
    const unknown = await report(stranger, '/rooms/!no:test.example/report', { reason: 'x' });
    expect(errorOf(unknown)).toEqual([404, 'M_NOT_FOUND']);
    const [, list] = await stage.ask(
      'GET',
      `/_synapse/admin/v1/room_reports?room_id=${encodeURIComponent(roomId)}`,
    );
    expect(list).toEqual({
      room_reports: [
        {
          id: expect.any(Number) as number,
          received_ts: expect.any(Number) as number,
          room_id: roomId,
          user_id: stranger.userId,
          reason: '',
          canonical_alias: '',
          name: 'The Room',
        },
      ],
      total: 1,
    });
  });

  it('a user takes one that there is, or one of another server', async () => {
    const [reporter, target] = [await reporting.newUser(), await reporting.newUser()];
    const path = (userId: string): string => `/users/${encodeURIComponent(userId)}/report`;
    expect((await report(reporter, path(target.userId), { reason: 'spam' })).status).toBe(200);
    expect((await report(reporter, path('@a:elsewhere.example'), { reason: 'spam' })).status).toBe(200);
    const nobody = await report(reporter, path('@nobody:test.example'), { reason: 'spam' });
    expect(errorOf(nobody)).toEqual([404, 'M_NOT_FOUND']);
    expect(errorOf(await report(reporter, path('abc'), { reason: '' }))).toEqual([400, 'M_INVALID_PARAM']);
    const query = `?user_id=${encodeURIComponent(reporter.userId)}&target_user_id=${encodeURIComponent(target.userId)}`;
    const [, list] = await stage.ask('GET', `/_synapse/admin/v1/user_reports${query}`);
    const shown = {
      id: expect.any(Number) as number,
      received_ts: expect.any(Number) as number,
      target_user_id: target.userId,
      user_id: reporter.userId,
      reason: 'spam',
    };
    expect(list).toEqual({ user_reports: [shown], total: 1 });
    const { id } = (list['user_reports'] as { id: number }[])[0]!;
    expect(await stage.ask('GET', `/_synapse/admin/v1/user_reports/${id}`)).toEqual([200, shown]);
    const other = await stage.admin.request('GET', `${eventReports}/${id}`);
    expect(errorOf(other)).toEqual([404, 'M_NOT_FOUND']);
    expect(await stage.ask('DELETE', `/_synapse/admin/v1/user_reports/${id}`)).toEqual([200, {}]);
  });

  it('twice by one command makes one report', async () => {
    const { roomId, eventId, reporter } = await reporting.scene();
    const input = { roomId, eventId, reporter: reporter.userId, reason: '', score: 0 };
    const { bus } = stage.world.homeserver.platform;
    const call = (): Promise<{ reportId: number }> =>
      bus.call(roomserver.reportEvent, input, { idempotencyKey: eventId });
    const ids = await Promise.all([call(), call(), call()]);
    expect(new Set(ids.map((one) => one.reportId)).size).toBe(1);
  });

  it('is limited per user', async () => {
    const world = await startWorld({ settings: { SENESCHAL_RATE_LIMITS: 'on' } });
    try {
      const reporter = await world.register('reporter');
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 21; attempt += 1) {
        const path = `/_matrix/client/v3/users/${encodeURIComponent('@a:elsewhere.example')}/report`;
        statuses.push((await reporter.request('POST', path, { body: { reason: '' } })).status);
      }
      expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 200));
      expect(statuses[20]).toBe(429);
    } finally {
      await world.stop();
    }
  });
});
