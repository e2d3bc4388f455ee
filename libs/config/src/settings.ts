import { isServerName } from '@seneschal/matrix';
import { z } from 'zod';

import {
  duration,
  integer,
  listenAddress,
  networks,
  onOff,
  roomVersion,
  setting,
  sharedSecret,
  url,
} from './setting.ts';

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
    networks.nullable(),
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
    'Meilisearch, version 1.12 or later, for the search index. Without it the index is in PostgreSQL.',
  ),
  meilisearch_api_key: setting(
    'SENESCHAL_MEILISEARCH_API_KEY',
    null,
    sharedSecret.nullable(),
    'The key for Meilisearch: one that may do everything with the indexes of the prefix, and see tasks.',
    true,
  ),
  meilisearch_prefix: setting(
    'SENESCHAL_MEILISEARCH_PREFIX',
    'seneschal',
    z.string().regex(/^[a-z0-9_-]{1,32}$/, 'is 1 to 32 of a-z, 0-9, - and _'),
    'What the names of the indexes in Meilisearch begin with: one for each server that shares it.',
  ),
  search: setting('SENESCHAL_SEARCH', true, onOff, 'Whether messages are indexed and users may search them.'),
  search_language: setting(
    'SENESCHAL_SEARCH_LANGUAGE',
    'english',
    z.string().regex(/^[a-z_]{1,40}$/, 'is the name of a text search configuration of PostgreSQL, or simple'),
    "The language by whose rules the index in PostgreSQL takes words for the same, as 'run' and 'running'; `simple` for none.",
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
    roomVersion,
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
  job_concurrency: setting(
    'SENESCHAL_JOB_CONCURRENCY',
    2,
    integer(1, 100),
    'Heavy jobs, such as purges, that one worker process runs at once, per component.',
  ),
  job_wait: setting(
    'SENESCHAL_JOB_WAIT',
    '10m',
    duration,
    'How long a request waits for its job before it is answered 202.',
  ),
  evacuate_job_size: setting(
    'SENESCHAL_EVACUATE_JOB_SIZE',
    1000,
    integer(1, 1_000_000),
    'Evacuations of more users, or from more rooms, are jobs.',
  ),
  job_retention: setting(
    'SENESCHAL_JOB_RETENTION',
    '30d',
    duration,
    'How long finished jobs can be looked up.',
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
