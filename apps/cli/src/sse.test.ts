import { readEvents, type ServerSentEvent } from './sse.ts';

function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

async function all(
  stream: ReadableStream<Uint8Array>,
  signal = new AbortController().signal,
): Promise<ServerSentEvent[]> {
  const found: ServerSentEvent[] = [];
  for await (const event of readEvents(stream, signal)) found.push(event);
  return found;
}

describe('readEvents', () => {
  it('reads events wherever the chunks are cut, and passes comments over', async () => {
    expect(
      await all(
        streamOf(
          ':\n\nid: 1\neve',
          'nt: progress\ndata: {"a"',
          ':1}\n\n:\n\ndata: x\r\ndata: y\r\n\r\nid: 9\n',
        ),
      ),
    ).toEqual([
      { id: '1', event: 'progress', data: '{"a":1}' },
      { id: '', event: 'message', data: 'x\ny' },
    ]);
  });

  it('ends at the signal while nothing comes, and lets go of the connection', async () => {
    const controller = new AbortController();
    let isCancelled = false;
    const silent = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    const reading = all(silent, controller.signal);
    controller.abort();
    expect(await reading).toEqual([]);
    expect(isCancelled).toBe(true);
    expect(await all(new ReadableStream<Uint8Array>(), controller.signal)).toEqual([]);
  });
});
