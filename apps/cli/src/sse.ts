export interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

/**
 * Splits a stream into its events (HTML standard, "Server-sent events"). Ends when the stream does, or at a signal:
 * that of the request itself may be forgotten while its answer is read.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const reader = stream.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      rest += decoder.decode(chunk.value, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function parseEvent(block: string): ServerSentEvent | undefined {
  const found: ServerSentEvent = { id: '', event: 'message', data: '' };
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'id') found.id = value;
    else if (name === 'event') found.event = value;
    else if (name === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { ...found, data: data.join('\n') };
}
