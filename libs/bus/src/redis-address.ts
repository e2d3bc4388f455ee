/** Where Redis is: one server, the servers of a cluster, or sentinels who know which server is the master. */
export type RedisAddress =
  | { kind: 'one'; url: string }
  | { kind: 'socket'; path: string; password: string | undefined }
  | ({ kind: 'cluster'; hosts: HostPort[] } & Login)
  | ({
      kind: 'sentinel';
      hosts: HostPort[];
      name: string;
      sentinelPassword: string | undefined;
      db: number;
    } & Login);

export interface HostPort {
  host: string;
  port: number;
}

interface Login {
  username: string | undefined;
  password: string | undefined;
  tls: boolean;
}

const several =
  /^(rediss?)\+(sentinel|cluster):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?@]+)(?:\/([^/?]*))?(?:\?(.*))?$/;
const defaultPorts = { sentinel: 26_379, cluster: 6379 } as const;

/**
 * Reads `redis://…`, `rediss://…`, `redis+unix://:password@/path`, `redis+cluster://user:password@host:port,host:port`
 * and `redis+sentinel://user:password@host:port,host:port/master?db=0&sentinel_password=…`; the last two with TLS as
 * `rediss+…`. Undefined for what is none of these.
 */
export function parseRedisAddress(url: string): RedisAddress | undefined {
  if (/^(redis\+)?unix:\/\//.test(url)) return socketAddress(url);
  const found = several.exec(url);
  if (found === null) return /^rediss?:\/\//.test(url) ? { kind: 'one', url } : undefined;
  const [, scheme, kind, username = '', password = '', list = '', name = '', search = ''] = found;
  const hosts = list.split(',').map((one) => hostOf(one, defaultPorts[kind as keyof typeof defaultPorts]));
  if (hosts.some(({ host, port }) => host === '' || !(port > 0 && port < 65_536))) return undefined;
  const login: Login = {
    username: textOf(username),
    password: textOf(password),
    tls: scheme === 'rediss',
  };
  if (kind === 'cluster')
    return name === '' && search === '' ? { kind: 'cluster', hosts, ...login } : undefined;
  const more = new URLSearchParams(search);
  const db = Number(more.get('db') ?? 0);
  if (name === '' || !Number.isInteger(db)) return undefined;
  return {
    kind: 'sentinel',
    hosts,
    name,
    db,
    sentinelPassword: more.get('sentinel_password') ?? undefined,
    ...login,
  };
}

function socketAddress(url: string): RedisAddress {
  const parsed = new URL(url.replace(/^(redis\+)?unix:\/\/([^/]*@)?/, 'http://$2localhost'));
  return { kind: 'socket', path: decodeURIComponent(parsed.pathname), password: textOf(parsed.password) };
}

/** `host`, `host:port` or `[::1]:port`. */
function hostOf(text: string, defaultPort: number): HostPort {
  const [, inBrackets, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { host: inBrackets ?? plain, port: port === undefined ? defaultPort : Number(port) };
}

function textOf(escaped: string): string | undefined {
  return escaped === '' ? undefined : decodeURIComponent(escaped);
}
