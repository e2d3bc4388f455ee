import {
  type Peer,
  peerSettings,
  startPeer,
  startReceiver,
  startWorld,
  type TestReceiver,
  type World,
} from '@seneschal/testing';
import { sql } from 'kysely';

let world: World;
let peer: Peer;
let receiver: TestReceiver;
beforeAll(async () => {
  [peer, receiver] = await Promise.all([startPeer(), startReceiver()]);
  world = await startWorld({
    settings: {
      ...peerSettings,
      SENESCHAL_FEDERATION_LAG_AFTER: '1s',
      SENESCHAL_FEDERATION_RETRY_MIN: '100ms',
      SENESCHAL_FEDERATION_RETRY_MAX: '200ms',
      SENESCHAL_WEBHOOK_URLS: receiver.url,
      SENESCHAL_WEBHOOK_SECRET: 'kV4nT9qLw2xZ8rYdkV4nT9qL',
      SENESCHAL_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    },
  });
});
afterAll(async () => {
  await world.stop();
  await Promise.all([peer.stop(), receiver.stop()]);
});

/** The next webhook of a type. */
async function told(type: string): Promise<Record<string, unknown>> {
  for (;;) {
    const body = JSON.parse((await receiver.next()).body) as { type: string; data: Record<string, unknown> };
    if (body.type === type) return body.data;
  }
}

async function metrics(): Promise<string> {
  const admin = await world.register(`admin${Date.now()}`, { admin: true });
  return (await admin.request('GET', '/_seneschal/v1/metrics')).text;
}

describe('a server that does not take its events', () => {
  it('is named by a webhook, is seen in the figures, and a webhook says when it has caught up', async () => {
    const attempted = new Promise<void>((resolve) => {
      peer.answer('/_matrix/federation/v1/send', () => {
        resolve();
        return { status: 502, body: {} };
      });
    });
    const { serverName: destination } = peer;
    await sql`INSERT INTO federation_destinations (server_name) VALUES (${destination})`.execute(world.sql);
    await sql`INSERT INTO federation_outgoing (position, room_id, json)
      VALUES (1, '!r:x', '{"type":"m.test"}')`.execute(world.sql);
    await sql`INSERT INTO federation_queue (server_name, position) VALUES (${destination}, 1)`.execute(
      world.sql,
    );
    await attempted;
    const lagging = await told('destination_lagging');
    expect(lagging).toMatchObject({ destination, pdus: 1, since_ts: expect.any(Number) as number });
    expect(lagging['lag_ms']).toBeGreaterThanOrEqual(1000);
    const text = await metrics();
    expect(text).toContain('seneschal_federation_queue_pdus 1');
    expect(text).toMatch(/seneschal_federation_oldest_seconds [1-9]/);
    peer.answer('/_matrix/federation/v1/send', () => ({ body: { pdus: {} } }));
    const recovered = await told('destination_recovered');
    expect(recovered).toMatchObject({ destination, since_ts: lagging['since_ts'] });
    expect(recovered['lag_ms']).toBeGreaterThan(Number(lagging['lag_ms']));
    const after = await metrics();
    expect(after).toContain('seneschal_federation_queue_pdus 0');
    expect(after).toContain('seneschal_federation_transactions_total{direction="out",outcome="ok"} 1');
    expect(after).toMatch(
      /seneschal_federation_transactions_total\{direction="out",outcome="failed"\} [1-9]/,
    );
    expect(after).toContain('seneschal_federation_pdus_total{direction="out",outcome="ok"} 1');
    expect(after).toMatch(
      /seneschal_federation_request_seconds_count\{endpoint="\/_matrix\/federation\/v1\/send",outcome="failed"\} [1-9]/,
    );
  });
});
