import type { Readable } from 'node:stream';

/** Standard input: a terminal can be told not to show what is typed. */
export type Input = Readable & { isTTY?: boolean; setRawMode?: (mode: boolean) => unknown };

/** Something that the caller has to do differently. The message is one sentence. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

const longestLine = 4096;
const enter = new Set(['\r', '\n', '\u0004']);
const erase = new Set(['\b', '\u007f']);
const interrupt = '\u0003';

/** Asks for a password twice on a terminal; elsewhere it is the first line of the input. Throws Refused. */
export async function readPassword(input: Input, prompt: (text: string) => void): Promise<string> {
  if (input.isTTY !== true || input.setRawMode === undefined) return firstLine(input);
  input.setRawMode(true);
  input.setEncoding('utf8');
  try {
    const characters = typed(input);
    prompt('Password: ');
    const first = await typedLine(characters, prompt);
    prompt('The same again: ');
    const second = await typedLine(characters, prompt);
    if (first !== second) throw new Refused('These were two different passwords.');
    return first;
  } finally {
    input.setRawMode(false);
    input.pause();
  }
}

async function firstLine(input: Input): Promise<string> {
  let text = '';
  input.setEncoding('utf8');
  for await (const chunk of input as AsyncIterable<string>) {
    text += chunk;
    if (text.includes('\n') || text.length > longestLine) break;
  }
  return (text.split('\n', 1)[0] ?? '').replace(/\r$/, '');
}

/** The characters as they are typed; a paste brings several at once. */
async function* typed(input: Input): AsyncGenerator<string, void> {
  for await (const chunk of input as AsyncIterable<string>) yield* chunk;
}

async function typedLine(
  characters: AsyncGenerator<string, void>,
  prompt: (text: string) => void,
): Promise<string> {
  const line: string[] = [];
  for (;;) {
    const next = await characters.next();
    const character = next.done === true ? '\u0004' : next.value;
    if (character === interrupt) throw new Refused('No account was made.');
    if (erase.has(character)) line.pop();
    else if (enter.has(character)) break;
    else line.push(character);
  }
  prompt('\n');
  return line.join('');
}
