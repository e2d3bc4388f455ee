import { startReceiver, type TestReceiver } from '@seneschal/testing';
import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/webhooks';

describe('webhooks', () => {
  let stage: Stage;
  let receiver: TestReceiver;
  beforeAll(async () => {
    receiver = await startReceiver();
    const settings = {
      SENESCHAL_WEBHOOK_URLS: receiver.url,
      SENESCHAL_WEBHOOK_SECRET: 'q7Jw0-xZt5rB2nVkP8yLmA4d',
      SENESCHAL_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1',
    };
    stage = await Stage.open({ settings });
    const told = [await receiver.next(), await receiver.next()].map(({ body }) => body).join();
    expect(told).toContain('@admin:test.example');
    expect(told).toContain('@user:test.example');
  });
  afterAll(async () => {
    await stage.stop();
    await receiver.stop();
  });

  itRefusesOthers(
    () => stage,
    'GET',
    () => [path, `${path}/deliveries`],
  );
  itRefusesOthers(
    () => stage,
    'POST',
    () => [`${path}/ping`, `${path}/deliveries/none/retry`],
  );

  const deliveries = async (query = ''): Promise<Record<string, unknown>[]> => {
    const [status, body] = await stage.ask('GET', `${path}/deliveries${query}`);
    expect(status).toBe(200);
    return body['deliveries'] as Record<string, unknown>[];
  };

  it('tell of a report, from the client to the receiver', async () => {
    const roomId = await stage.room(stage.admin);
    const report = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/report`;
    expect((await stage.user.request('POST', report, { body: { reason: 'spam' } })).status).toBe(200);
    const { body } = await receiver.next();
    expect(JSON.parse(body)).toMatchObject({ type: 'content_reported', data: { kind: 'room' } });
    expect(body).not.toContain('spam');
  });

  it('are listed, with what became of them', async () => {
    receiver.answer = (response) => void response.writeHead(502).end();
    expect(await stage.ask('POST', `${path}/ping`)).toEqual([200, { deliveries: 1 }]);
    const { headers } = await receiver.next();
    const id = String(headers['seneschal-delivery']);
    let [ping] = await deliveries('?type=ping&state=queued');
    for (; ping?.['last_error'] === null;) [ping] = await deliveries('?type=ping&state=queued');
    expect(ping).toMatchObject({
      id,
      type: 'ping',
      receiver: `http://127.0.0.1:${receiver.port}`,
      state: 'queued',
      attempts: 1,
      last_status: 502,
      last_error: 'It answered 502.',
    });
    expect(ping?.['next_try_ts']).toBeGreaterThan(Date.now());
    receiver.answer = (response) => void response.writeHead(200).end();
    const [status] = await stage.ask('POST', `${path}/deliveries/${id}/retry`);
    expect(status).toBe(200);
    expect((await receiver.next()).headers['seneschal-delivery']).toBe(id);
    for (let left = 1; left > 0;) left = (await deliveries('?state=queued')).length;
    const again = await stage.admin.request('POST', `${path}/deliveries/${id}/retry`);
    expect(errorOf(again)).toEqual([409, 'M_BAD_STATE']);
    const [, { receivers }] = await stage.ask('GET', path);
    expect(receivers).toMatchObject([{ queued: 0, delivered: 4, failed: 0 }]);
    expect(JSON.stringify([receivers, await deliveries()])).not.toContain('secret-path');
  });

  it('are listed page by page, newest first', async () => {
    const all = (await deliveries()).map(({ id }) => id);
    const found: unknown[] = [];
    for (let from = ''; ;) {
      const [, body] = await stage.ask('GET', `${path}/deliveries?limit=3${from}`);
      found.push(...(body['deliveries'] as { id: string }[]).map(({ id }) => id));
      if (body['next_token'] === undefined) break;
      from = `&from=${body['next_token'] as string}`;
    }
    expect(found).toEqual(all);
  });

  it.each([
    ['GET', '/deliveries?state=lost', 400, 'M_INVALID_PARAM'],
    ['GET', '/deliveries?from=x', 400, 'M_INVALID_PARAM'],
    ['GET', '/deliveries?limit=-1', 400, 'M_INVALID_PARAM'],
    ['POST', '/deliveries/none/retry', 404, 'M_NOT_FOUND'],
  ])('refuse %s %s', async (method, query, status, errcode) => {
    expect(errorOf(await stage.admin.request(method, `${path}${query}`))).toEqual([status, errcode]);
  });
});
