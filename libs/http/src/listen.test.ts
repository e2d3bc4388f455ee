import express from 'express';

import { listen } from './listen.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

describe('listen', () => {
  it('names the port that it took, and says when one is taken', async () => {
    const first = await listen(express(), anywhere, 0);
    const port = Number(new URL(first.address).port);
    await expect(listen(express(), { host: '127.0.0.1', port }, 0)).rejects.toThrow(
      /already in use. Choose another address/,
    );
    await first.stop();
    await expect(fetch(first.address)).rejects.toThrow();
  });

  it('lets a request under way end before it stops', async () => {
    let finish: () => void = () => undefined;
    let reached: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const app = express();
    app.get('/', (_request, response) => {
      finish = () => void response.end('done');
      reached();
    });
    const listener = await listen(app, anywhere, 10_000);
    const answer = fetch(listener.address);
    await begun;
    const stopped = listener.stop();
    finish();
    expect(await (await answer).text()).toBe('done');
    await stopped;
  });

  it('ends a request that takes longer than it may', async () => {
    let reached: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const app = express();
    app.get('/', () => reached());
    const listener = await listen(app, anywhere, 10);
    const answer = fetch(listener.address);
    await begun;
    await Promise.all([expect(answer).rejects.toThrow(), listener.stop()]);
  });
});
