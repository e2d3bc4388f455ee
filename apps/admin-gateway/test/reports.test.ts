import { eventReports, report, Reporting } from './reporting.ts';
import { errorOf, itRefusesOthers, Stage } from './stage.ts';

let stage: Stage;
let reporting: Reporting;
beforeAll(async () => {
  stage = await Stage.open();
  reporting = new Reporting(stage);
});
afterAll(() => stage.stop());

describe('who may', () => {
  const lists = ['event_reports', 'room_reports', 'user_reports'].map((one) => `/_synapse/admin/v1/${one}`);
  const all = [...lists, '/_seneschal/v1/reports'];
  itRefusesOthers(
    () => stage,
    'GET',
    () => [...all, ...all.map((path) => `${path}/1`)],
  );
  itRefusesOthers(
    () => stage,
    'DELETE',
    () => all.map((path) => `${path}/1`),
  );
  itRefusesOthers(
    () => stage,
    'PUT',
    () => ['/_seneschal/v1/reports/1'],
  );
});

describe('/_seneschal/v1/reports', () => {
  const path = '/_seneschal/v1/reports';
  const update = (id: number, body: object): Promise<[number, Record<string, unknown>]> =>
    stage.ask('PUT', `${path}/${id}`, body);

  it('follows a report from new to resolved', async () => {
    const { id, roomId, offender } = await reporting.reported();
    const [, fresh] = await stage.ask('GET', `${path}/${id}`);
    expect(fresh).toMatchObject({
      id,
      kind: 'event',
      room_id: roomId,
      sender: offender.userId,
      status: 'new',
      assignee: null,
      note: null,
      updated_by: null,
      event_json: { type: 'm.room.message' },
    });
    const taken = await update(id, { assignee: stage.admin.userId, note: 'looking into it' });
    expect(taken).toMatchObject([200, { status: 'assigned', assignee: stage.admin.userId }]);
    const resolved = await update(id, { status: 'resolved' });
    expect(resolved).toMatchObject([
      200,
      {
        status: 'resolved',
        assignee: stage.admin.userId,
        note: 'looking into it',
        updated_by: stage.admin.userId,
        updated_ts: expect.any(Number) as number,
      },
    ]);
    expect(await update(id, { status: 'new', assignee: null, note: null })).toMatchObject([
      200,
      { status: 'new', assignee: null, note: null },
    ]);
  });

  it('lists the reports of all kinds, by status, kind and assignee, page by page', async () => {
    const { id, roomId, reporter } = await reporting.reported();
    await report(reporter, `/rooms/${encodeURIComponent(roomId)}/report`, { reason: 'all of it' });
    await update(id, { assignee: stage.admin.userId });
    const room = `room_id=${encodeURIComponent(roomId)}`;
    const kinds = async (query: string): Promise<unknown[]> => {
      const [, list] = await stage.ask('GET', `${path}?${room}&${query}`);
      return (list['reports'] as { kind: string }[]).map((one) => one.kind);
    };
    expect(await kinds('')).toEqual(['room', 'event']);
    expect(await kinds('dir=f')).toEqual(['event', 'room']);
    expect(await kinds('status=new')).toEqual(['room']);
    expect(await kinds('kind=event')).toEqual(['event']);
    expect(await kinds(`assignee=${encodeURIComponent(stage.admin.userId)}`)).toEqual(['event']);
    const [, first] = await stage.ask('GET', `${path}?${room}&limit=1`);
    expect(first).toMatchObject({ total: 2, reports: [{ kind: 'room' }] });
    const [, second] = await stage.ask('GET', `${path}?${room}&limit=1&from=${String(first['next_token'])}`);
    expect(second).toMatchObject({ reports: [{ id, kind: 'event' }] });
    expect(second['next_token']).toBeUndefined();
  });

  it.each([
    ['an unknown status', { status: 'open' }, 'M_BAD_JSON'],
    ['nobody to be assigned to', { status: 'assigned' }, 'M_INVALID_PARAM'],
    ['an assignee who is no administrator', { assignee: '@user:test.example' }, 'M_INVALID_PARAM'],
    ['an assignee who does not exist', { assignee: '@nobody:test.example' }, 'M_INVALID_PARAM'],
    ['a NUL in the assignee', { assignee: '\0' }, 'M_INVALID_PARAM'],
    ['a note that is too long', { note: 'x'.repeat(4097) }, 'M_BAD_JSON'],
    ['a NUL in the note', { note: '\0' }, 'M_BAD_JSON'],
  ])('refuses %s, and changes nothing', async (_, body, errcode) => {
    const { id } = await reporting.reported();
    const answer = await stage.admin.request('PUT', `${path}/${id}`, { body });
    expect(errorOf(answer)).toEqual([400, errcode]);
    expect((await stage.ask('GET', `${path}/${id}`))[1]).toMatchObject({ status: 'new', updated_by: null });
  });

  it('knows no report that there is not', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await stage.admin.request(
        method,
        `${path}/999999999`,
        method === 'PUT' ? { body: {} } : {},
      );
      expect(errorOf(answer)).toEqual([404, 'M_NOT_FOUND']);
    }
    const { id } = await reporting.reported();
    expect(await stage.ask('DELETE', `${path}/${id}`)).toEqual([200, {}]);
    expect((await stage.ask('GET', `${eventReports}/${id}`))[0]).toBe(404);
  });

  it('changes of two administrators at once both count', async () => {
    const { id } = await reporting.reported();
    await Promise.all([update(id, { note: 'mine' }), update(id, { assignee: stage.admin.userId })]);
    const [, now] = await stage.ask('GET', `${path}/${id}`);
    expect(now).toMatchObject({ note: 'mine', assignee: stage.admin.userId, status: 'assigned' });
  });
});
