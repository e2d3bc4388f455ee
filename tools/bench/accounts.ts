import { setTimeout as delay } from 'node:timers/promises';

import { hash } from '@node-rs/bcrypt';

import { registerUser } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { type Bench, type Measurement, percentile } from './bench.ts';

const requests = 4000;

/** whois of one user, `size` requests at once. */
export async function whois(bench: Bench, size: number): Promise<Measurement> {
  const admin = await bench.admin();
  const [user] = await bench.users(1);
  const path = `/_matrix/client/v3/admin/whois/${encodeURIComponent(user?.userId ?? '')}`;
  const items = Array.from({ length: requests }, () => path);
  await parallel(items.slice(0, 500), size, ask);
  return bench.measure('whois', size, requests, async () => {
    const times: number[] = [];
    const started = performance.now();
    await parallel(items, size, async (one) => {
      const begun = performance.now();
      await ask(one);
      times.push(performance.now() - begun);
    });
    const seconds = (performance.now() - started) / 1000;
    return {
      requestsPerSecond: requests / seconds,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
    };
  });

  async function ask(one: string): Promise<void> {
    await bench.client.expect('GET', one, { token: admin.token });
  }
}

/** The cost of real passwords; `npm run bench` starts a server with it for this job. */
export const realBcryptCost = 10;

const registrationsPerSize = 8;

/** Shared-secret registrations, `size` at once, against what bcrypt alone can do on the same cores. */
export async function register(bench: Bench, size: number): Promise<Measurement> {
  const admin = await bench.admin();
  const count = Math.max(48, registrationsPerSize * size);
  const alone = await bcryptAlone(count);
  const idle = await probe(bench, admin.token, delay(3000));
  const measured = await bench.measure('register', size, count, async () => {
    const started = performance.now();
    await registerMany(bench, count, size);
    const rate = count / ((performance.now() - started) / 1000);
    return {
      registrationsPerSecond: rate,
      bcryptAlonePerSecond: alone.perSecond,
      bcryptAloneCpuMs: alone.cpuMs,
      shareOfBcrypt: rate / alone.perSecond,
    };
  });
  const busy = await probe(bench, admin.token, registerMany(bench, count, size));
  const others = { othersP99IdleMs: percentile(idle, 0.99), othersP99BusyMs: percentile(busy, 0.99) };
  return { ...measured, more: { ...measured.more, ...others } };
}

async function registerMany(bench: Bench, count: number, width: number): Promise<void> {
  const names = Array.from({ length: count }, () => bench.name());
  await parallel(names, width, async (name) => {
    await registerUser(bench.client, bench.secret, name);
  });
}

/** What hashing alone does on all cores with nothing beside it: hashes per second, and CPU ms per hash. */
async function bcryptAlone(count: number): Promise<{ perSecond: number; cpuMs: number }> {
  const started = performance.now();
  const before = process.cpuUsage();
  const items = Array.from({ length: count }, (_, index) => `password ${index}`);
  await parallel(items, 4, async (password) => {
    await hash(password, { cost: realBcryptCost });
  });
  const { user, system } = process.cpuUsage(before);
  return {
    perSecond: count / ((performance.now() - started) / 1000),
    cpuMs: (user + system) / 1000 / count,
  };
}

/** Times of small requests, one every 10 ms, for as long as something lasts. */
async function probe(bench: Bench, token: string, lasting: Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let isOver = false;
  const end = lasting.finally(() => {
    isOver = true;
  });
  // A function, as the compiler does not see that a callback changes the variable.
  const goesOn = (): boolean => !isOver;
  while (goesOn()) {
    const begun = performance.now();
    await bench.client.expect('GET', '/_matrix/client/v3/account/whoami', { token });
    times.push(performance.now() - begun);
    await delay(10);
  }
  await end;
  return times;
}
