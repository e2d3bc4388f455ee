import type { Wakeup } from './wakeup.ts';
import { parseWakeup } from './wakeup.ts';
import { type Waiter, Waiters } from './waiters.ts';

const wakeup = (more: Partial<Wakeup>): Wakeup => ({
  log: 'roomserver',
  position: 5,
  rooms: [],
  users: [],
  ...more,
});
const isWoken = async (waiter: Waiter): Promise<boolean> => (await waiter.wait(0)) === 'news';

describe('waiters', () => {
  let waiters: Waiters;
  let alice: Waiter;
  let bob: Waiter;
  beforeEach(() => {
    waiters = new Waiters();
    [alice, bob] = [waiters.open('@alice:a'), waiters.open('@bob:a')];
    alice.watch(['!one', '!two']);
    bob.watch(['!two']);
  });
  const woken = async (): Promise<boolean[]> => [await isWoken(alice), await isWoken(bob)];

  it('wake for their rooms', async () => {
    waiters.tell(wakeup({ rooms: ['!one'] }));
    expect(await woken()).toEqual([true, false]);
  });

  it('wake for themselves, and then know that their rooms may be others', async () => {
    waiters.tell(wakeup({ users: ['@bob:a'] }));
    expect(await woken()).toEqual([false, true]);
    expect([alice.begin(), bob.begin()]).toEqual([
      { roomsMayHaveChanged: false },
      { roomsMayHaveChanged: true },
    ]);
    expect(bob.begin()).toEqual({ roomsMayHaveChanged: false });
  });

  it('wake while they wait', async () => {
    const waiting = alice.wait(60_000);
    waiters.tell(wakeup({ rooms: ['!two'] }));
    expect(await waiting).toBe('news');
  });

  it('do not wake for what they have looked at', async () => {
    alice.checked({ roomserver: 5, userapi: 4 });
    waiters.tell(wakeup({ rooms: ['!one'] }));
    expect(await isWoken(alice)).toBe(false);
    expect(alice.isBehind({ roomserver: 5, userapi: 4 })).toBe(false);
    waiters.tell(wakeup({ log: 'userapi', rooms: ['!one'] }));
    expect(await isWoken(alice)).toBe(true);
    expect(alice.isBehind({ roomserver: 5, userapi: 5 })).toBe(true);
  });

  it('miss nothing that is told between a look and the wait', async () => {
    alice.begin();
    waiters.tell(wakeup({ rooms: ['!one'] }));
    expect(await isWoken(alice)).toBe(true);
  });

  it('forget rooms that they watch no more, and all of it when they close', async () => {
    alice.watch(['!three']);
    bob.close();
    waiters.tell(wakeup({ rooms: ['!one', '!two'], users: ['@bob:a'] }));
    expect(await woken()).toEqual([false, false]);
    waiters.tell(wakeup({ rooms: ['!three'] }));
    expect(await isWoken(alice)).toBe(true);
  });

  it('wake all at once when something may have been missed', async () => {
    waiters.wakeAll();
    expect(await woken()).toEqual([true, true]);
  });
});

describe('a wake-up', () => {
  it.each(['', '{}', '{"log":"other","position":1,"rooms":[],"users":[]}'])(
    'that reads %j is none',
    (text) => {
      expect(() => parseWakeup(text)).toThrow();
    },
  );
});
