export interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

/** Splits a stream into its events (HTML standard, "Server-sent events"). */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== undefined) yield event;
    }
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
