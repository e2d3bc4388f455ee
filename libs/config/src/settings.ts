import { isServerName } from '@seneschal/matrix';
import { z } from 'zod';

/** One setting: where it stands in the file, which variable overrides it, what it may be. */
export interface Setting<T> {
  readonly environment: `SENESCHAL_${string}`;
  readonly description: string;
  readonly shape: z.ZodType<T>;
  /** The value when nothing is set, as one would write it in the file; undefined means that it is required. */
  readonly fallback: string | number | boolean | null;
  readonly secret: boolean;
}

function setting<T>(
  environment: `SENESCHAL_${string}`,
  fallback: string | number | boolean | null,
  shape: z.ZodType<T>,
  description: string,
  secret = false,
): Setting<T> {
  return { environment, fallback, shape, description, secret };
}

/** Values known from documentation and sample files: whoever has read them could register administrators. */
const knownSecrets =
  /^(change[-_ ]?me|secret|password|test|example|default|letmein|registration_shared_secret)/i;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'is a number with a unit: ms, s, m, h or d, for instance 30s')
  .transform((text) => Number.parseInt(text, 10) * units[text.replace(/^\d+/, '') as keyof typeof units]);

const onOff = z
  .union([z.boolean(), z.enum(['on', 'off', 'true', 'false'])], 'is on or off')
  .transform((value) => value === true || value === 'on' || value === 'true');

const integer = (minimum: number, maximum: number): z.ZodType<number> =>
  z.coerce
    .number(`is a whole number from ${minimum} to ${maximum}`)
    .int(`is a whole number from ${minimum} to ${maximum}`)
    .min(minimum, `is at least ${minimum}`)
    .max(maximum, `is at most ${maximum}`);

const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'is host:port, for instance 127.0.0.1:8008')
  .transform((text) => {
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'has a port above 65535');

const url = (protocols: RegExp, example: string): z.ZodType<string> =>
  z.string().regex(protocols, `is an address like ${example}`);

const sharedSecret = z
  .string()
  .min(16, 'is too short: take at least 16 random characters, for instance from `openssl rand -base64 32`')
  .refine(
    (text) => !knownSecrets.test(text) && new Set(text).size >= 8,
    'can be guessed: take random characters, for instance from `openssl rand -base64 32`',
  );

/** Every setting there is; the file, the environment and docs/configuration.md all follow this table. */
export const settings = {
  server_name: setting(
    'SENESCHAL_SERVER_NAME',
    'localhost',
    z.string().refine(isServerName, 'is a domain name, with a port when it has one'),
    'The domain that user IDs end in. It cannot be changed once there are users.',
  ),
  listen: setting(
    'SENESCHAL_LISTEN',
    '127.0.0.1:8008',
    listenAddress,
    'host:port where all APIs are served. Port 0 takes a free one.',
  ),
  admin_listen: setting(
    'SENESCHAL_ADMIN_LISTEN',
    null,
    listenAddress.nullable(),
    'host:port for the admin API alone. When set, the main listener does not serve it.',
  ),
  trusted_proxies: setting(
    'SENESCHAL_TRUSTED_PROXIES',
    null,
    z.string().nullable(),
    'Addresses or networks, separated by commas, whose X-Forwarded-For is believed; `loopback` stands for this machine.',
  ),
  data_dir: setting(
    'SENESCHAL_DATA_DIR',
    './data',
    z.string().min(1, 'is empty'),
    'The folder for the signing key and, with embedded services, the databases.',
  ),
  signing_key_file: setting(
    'SENESCHAL_SIGNING_KEY_FILE',
    null,
    z.string().min(1, 'is empty').nullable(),
    'The file with the key that signs events; `signing.key` in the data folder when not set. Made at the first start.',
  ),
  database_url: setting(
    'SENESCHAL_DATABASE_URL',
    null,
    url(/^postgres(ql)?:\/\//, 'postgresql://user:password@host:5432/seneschal'),
    'PostgreSQL, version 14 or later. `npm start` brings its own when not set.',
    true,
  ),
  database_connections: setting(
    'SENESCHAL_DATABASE_CONNECTIONS',
    20,
    integer(2, 500),
    'Connections to PostgreSQL that one process opens at the most.',
  ),
  redis_url: setting(
    'SENESCHAL_REDIS_URL',
    null,
    url(/^(rediss?|redis\+unix|unix):\/\//, 'redis://:password@host:6379'),
    'Redis or Valkey, version 6.2 or later, with `maxmemory-policy noeviction`. `npm start` brings its own when not set.',
    true,
  ),
  redis_prefix: setting(
    'SENESCHAL_REDIS_PREFIX',
    'seneschal',
    z.string().regex(/^[a-z0-9_-]{1,32}$/, 'is 1 to 32 of a-z, 0-9, - and _'),
    'What every key in Redis begins with.',
  ),
  meilisearch_url: setting(
    'SENESCHAL_MEILISEARCH_URL',
    null,
    url(/^https?:\/\//, 'http://host:7700').nullable(),
    'Meilisearch, for the search index.',
  ),
  meilisearch_api_key: setting(
    'SENESCHAL_MEILISEARCH_API_KEY',
    null,
    z.string().min(16, 'is too short').nullable(),
    'The key for Meilisearch.',
    true,
  ),
  registration_shared_secret: setting(
    'SENESCHAL_REGISTRATION_SHARED_SECRET',
    null,
    sharedSecret.nullable(),
    'Whoever knows it can make accounts, administrators included, through /_synapse/admin/v1/register. Without it that endpoint does not exist.',
    true,
  ),
  registration_enabled: setting(
    'SENESCHAL_REGISTRATION_ENABLED',
    false,
    onOff,
    'Whether anyone may register through the client API.',
  ),
  registration_requires_token: setting(
    'SENESCHAL_REGISTRATION_REQUIRES_TOKEN',
    false,
    onOff,
    'Whether registering through the client API takes a registration token.',
  ),
  rate_limits: setting(
    'SENESCHAL_RATE_LIMITS',
    true,
    onOff,
    'Whether requests are limited per user and per address. Off is for benchmarks.',
  ),
  bcrypt_cost: setting(
    'SENESCHAL_BCRYPT_COST',
    10,
    integer(4, 16),
    'The cost of password hashes; each step doubles the time. Below 10 is for tests.',
  ),
  default_room_version: setting(
    'SENESCHAL_DEFAULT_ROOM_VERSION',
    '12',
    z.coerce.string(),
    'The room version of new rooms.',
  ),
  max_body_bytes: setting(
    'SENESCHAL_MAX_BODY_BYTES',
    1_048_576,
    integer(65_536, 104_857_600),
    'The largest request body that is read.',
  ),
  command_concurrency: setting(
    'SENESCHAL_COMMAND_CONCURRENCY',
    32,
    integer(1, 500),
    'Commands that one worker process handles at once, per component.',
  ),
  shutdown_timeout: setting(
    'SENESCHAL_SHUTDOWN_TIMEOUT',
    '10s',
    duration,
    'How long requests and commands under way may take when the server stops.',
  ),
  log_level: setting(
    'SENESCHAL_LOG_LEVEL',
    'info',
    z.enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
      'is trace, debug, info, warn, error or silent',
    ),
    'What is logged.',
  ),
} as const;
