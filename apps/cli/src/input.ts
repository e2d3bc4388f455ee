import { CliError, exitCodes, usage } from './exit-codes.ts';
import type { Host, Input } from './host.ts';
import { readText } from './settings.ts';

const enter = new Set(['\r', '\n', '\u0004']);
const erase = new Set(['\b', '\u007f']);
const interrupt = '\u0003';
const longestInput = 16 * 1024 * 1024;

/** All of standard input. */
export async function wholeInput(input: Input): Promise<string> {
  let text = '';
  input.setEncoding('utf8');
  for await (const chunk of input as AsyncIterable<string>) {
    text += chunk;
    if (text.length > longestInput) throw usage('Standard input is too long.');
  }
  return text;
}

export async function firstLine(input: Input): Promise<string> {
  return (await wholeInput(input)).split(/\r?\n/, 1)[0] ?? '';
}

/** Asks on a terminal, showing what is typed as stars never are: nothing. Throws where there is no terminal. */
export async function askSecret(host: Host, prompt: string, instead: string): Promise<string> {
  const { stdin } = host;
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) throw usage(instead);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  host.stderr.write(prompt);
  try {
    return await typedLine(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    host.stderr.write('\n');
  }
}

async function typedLine(input: Input): Promise<string> {
  const line: string[] = [];
  for await (const chunk of input as AsyncIterable<string>) {
    for (const character of chunk) {
      if (character === interrupt) throw new CliError(exitCodes.interrupted, 'Interrupted.');
      if (enter.has(character)) return line.join('');
      if (erase.has(character)) line.pop();
      else line.push(character);
    }
  }
  return line.join('');
}

/** A secret from a file, from standard input (`-`), or else asked for on the terminal. */
export async function readSecret(
  host: Host,
  { file, name, flag }: { file: string | undefined; name: string; flag: string },
): Promise<string> {
  if (file === '-') return firstLine(host.stdin);
  if (file !== undefined) return readText(file).split(/\r?\n/, 1)[0] ?? '';
  return askSecret(
    host,
    `${name}: `,
    `There is no terminal to ask for the ${name.toLowerCase()}: give --${flag} FILE, or - for standard input.`,
  );
}

/** Asks a yes-or-no question on the terminal. */
export async function askYes(host: Host, question: string): Promise<boolean> {
  host.stderr.write(`${question} [y/N] `);
  const { stdin } = host;
  stdin.setEncoding('utf8');
  let line = '';
  for await (const chunk of stdin as AsyncIterable<string>) {
    line += chunk;
    if (line.includes('\n')) break;
  }
  return /^y(es)?$/i.test(line.trim());
}
