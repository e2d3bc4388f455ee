import { createLogger } from '@seneschal/observability';

import { ConnectionRecorder } from './connections.ts';

interface Reported {
  connections: { deviceId: string; userAgent: string; lastSeen: number }[];
}

function recorder(): { recorder: ConnectionRecorder; reports: Reported[]; fail: (next: boolean) => void } {
  const reports: Reported[] = [];
  let failing = false;
  const call = async (_command: unknown, input: unknown): Promise<never> => {
    if (failing) throw new Error('the queue is away');
    reports.push(input as Reported);
    return {} as never;
  };
  const made = new ConnectionRecorder({ call }, createLogger('silent'), 1_000_000);
  return { recorder: made, reports, fail: (next) => void (failing = next) };
}

const at = (deviceId: string, userAgent = 'agent') => ({
  userId: '@u:test.example',
  deviceId,
  ip: '203.0.113.7',
  userAgent,
});

describe('ConnectionRecorder', () => {
  it('reports a connection once, however many requests came over it', async () => {
    const { recorder: made, reports } = recorder();
    for (let count = 0; count < 100; count += 1) made.seen(at('A'));
    made.seen(at('B'));
    await made.flush();
    await made.flush();
    expect(reports.map((one) => one.connections.map(({ deviceId }) => deviceId))).toEqual([['A', 'B']]);
    await made.stop();
  });

  it('tries again what could not be reported, with what is newer kept', async () => {
    const { recorder: made, reports, fail } = recorder();
    fail(true);
    made.seen(at('A'));
    await made.flush();
    made.seen(at('B'));
    fail(false);
    await made.stop();
    expect(reports[0]?.connections.map(({ deviceId }) => deviceId).sort()).toEqual(['A', 'B']);
  });

  it('is bounded in number and in length', async () => {
    const { recorder: made, reports } = recorder();
    for (let count = 0; count < 10_050; count += 1) made.seen(at(`D${count}`, 'x'.repeat(2000)));
    await made.stop();
    expect(reports[0]?.connections).toHaveLength(10_000);
    expect(reports[0]?.connections[0]?.userAgent).toHaveLength(512);
  });
});
