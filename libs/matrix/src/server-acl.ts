import { isIP } from 'node:net';
import { parseServerName } from './identifiers.ts';
import { own, type JsonObject } from './json-types.ts';

/**
 * Whether a room's `m.room.server_acl` lets a server take part (client-server API, "Server Access Control Lists"); ports
 * do not count. A list that is none allows nobody. Takes time in proportion to the list, whatever its globs are.
 */
export function aclAllows(content: JsonObject | undefined, serverName: string): boolean {
  if (content === undefined) return true;
  const { host } = parseServerName(serverName);
  const name = host.toLowerCase();
  const isAddress = isIP(host.replace(/^\[|\]$/g, '')) !== 0;
  if (own(content, 'allow_ip_literals') === false && isAddress) return false;
  if (globsOf(content, 'deny').some((glob) => matchesGlob(name, glob))) return false;
  return globsOf(content, 'allow').some((glob) => matchesGlob(name, glob));
}

function globsOf(content: JsonObject, key: string): string[] {
  const listed = own(content, key);
  return Array.isArray(listed) ? listed.filter((glob): glob is string => typeof glob === 'string') : [];
}

/** `*` stands for any characters, `?` for one. Goes back to the last `*` only, so it never takes exponential time. */
function matchesGlob(name: string, given: string): boolean {
  const glob = given.toLowerCase();
  let [at, place, star, mark] = [0, 0, -1, 0];
  while (at < name.length) {
    if (glob[place] === '*') {
      [star, mark] = [place, at];
      place += 1;
    } else if (glob[place] === '?' || glob[place] === name[at]) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      mark += 1;
      [at, place] = [mark, star + 1];
    } else {
      return false;
    }
  }
  while (glob[place] === '*') place += 1;
  return place === glob.length;
}
