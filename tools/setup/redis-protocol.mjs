import { exchange } from './network.mjs';

/**
 * Sends commands to a Redis after authenticating.
 * @param commands each an array of words
 * @returns {Promise<string[] | undefined>} the answers, errors with their leading `-`; undefined when nobody answers
 */
export async function askRedis({ host = '127.0.0.1', port, password }, commands, patience = 2000) {
  const all = password === undefined ? commands : [['AUTH', password], ...commands];
  const bytes = Buffer.concat(all.map(encode));
  const whole = (answer) => parseReplies(answer, all.length) !== undefined;
  const answer = await exchange({ host, port }, bytes, whole, patience);
  const replies = answer && parseReplies(answer, all.length);
  return password === undefined ? replies : replies?.slice(1);
}

function encode(words) {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

/** Simple, error, integer and bulk replies; all that is asked for here. Undefined while one is incomplete. */
export function parseReplies(bytes, count) {
  const replies = [];
  let at = 0;
  while (replies.length < count) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const line = bytes.toString('utf8', at, end);
    at = end + 2;
    if (!line.startsWith('$')) {
      replies.push(line.startsWith('-') ? line : line.slice(1));
      continue;
    }
    const length = Math.max(Number(line.slice(1)), 0);
    if (bytes.length < at + length + 2) return undefined;
    replies.push(bytes.toString('utf8', at, at + length));
    at += length + 2;
  }
  return replies;
}
