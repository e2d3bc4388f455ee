import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Lifecycle } from '@seneschal/observability';
import { sql } from 'kysely';

import { makeCertificate } from './certificates.ts';
import { peerSettings } from './peer.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

/** Starts a homeserver that others reach: `127.0.0.1:port`, over HTTPS with a certificate of its own. */
export async function startFederatedWorld(options: WorldOptions = {}): Promise<World> {
  const lifecycle = new Lifecycle();
  const folder = await mkdtemp(join(tmpdir(), 'seneschal-tls-'));
  lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
  const files = await makeCertificate(folder);
  const world = lifecycle.add(
    await startOnFreePort((serverName) =>
      startWorld({
        ...options,
        settings: {
          ...peerSettings,
          SENESCHAL_SERVER_NAME: serverName,
          SENESCHAL_FEDERATION_LISTEN: serverName,
          SENESCHAL_FEDERATION_TLS_CERTIFICATE: files.certificate,
          SENESCHAL_FEDERATION_TLS_KEY: files.key,
          ...options.settings,
        },
      }),
    ),
  );
  return { ...world, stop: () => lifecycle.stop() };
}

const maximumAttempts = 5;

/** A server's name has its port, so that has to be known before; another program may take it meanwhile. */
async function startOnFreePort(start: (serverName: string) => Promise<World>): Promise<World> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(`127.0.0.1:${await freePort()}`);
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes('already in use');
      if (!isTaken || attempt === maximumAttempts) throw error;
    }
  }
}

const maximumRounds = 500;

/** Until nothing is on its way between the worlds, apart from what waits for a server that does not answer. */
export async function allDelivered(...worlds: readonly World[]): Promise<void> {
  let stuck: unknown;
  for (let round = 0; round < maximumRounds; round += 1) {
    stuck = undefined;
    // What comes in from the other world meanwhile makes a world look unsettled.
    for (const world of worlds) await world.settled().catch((error: unknown) => (stuck = error));
    const waiting = await Promise.all(worlds.map(isWaiting));
    if (stuck === undefined && waiting.every((one) => !one)) return;
    await delay(10);
  }
  throw new Error('Something is still on its way between the worlds.', { cause: stuck });
}

/** Whether something is being sent, or waits for a server whose time has come. */
async function isWaiting({ sql: db }: World): Promise<boolean> {
  const now = Date.now();
  const result = await sql`
    SELECT FROM federation_destinations d WHERE d.claimed_until_ts > ${now} OR d.next_try_ts <= ${now} AND (
      EXISTS (SELECT FROM federation_queue q WHERE q.server_name = d.server_name)
      OR EXISTS (SELECT FROM federation_edu_queue q WHERE q.server_name = d.server_name)
      OR EXISTS (SELECT FROM federation_ephemeral q WHERE q.server_name = d.server_name)
    ) LIMIT 1
  `.execute(db);
  return result.rows.length > 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
