import type { Bus } from '@seneschal/bus';

import type { Check, Finding } from './finding.ts';

type Redis = Pick<Bus['redis'], 'info' | 'config'>;

const almostFull = 0.9;

/** Whether Redis keeps what it is given, and has room for more. */
export function redis(client: Redis): Check {
  return {
    name: 'redis',
    run: async () => {
      const information = await client.info();
      const value = (key: string): string =>
        new RegExp(`^${key}:(.*?)\\r?$`, 'm').exec(information)?.[1] ?? '';
      return [...eviction(value), ...(await persistence(client, value)), ...room(value)];
    },
  };
}

type Value = (key: string) => string;

function eviction(value: Value): Finding[] {
  const policy = value('maxmemory_policy');
  if (policy === 'noeviction') return [];
  return [
    {
      id: 'redis_evicts',
      severity: 'critical',
      meaning: `Redis may throw queued commands away when its memory is full: its maxmemory-policy is ${policy}.`,
      remedy:
        'Set `maxmemory-policy noeviction` in its configuration, and at once with CONFIG SET. The server does not start again before that.',
    },
  ];
}

async function persistence(client: Redis, value: Value): Promise<Finding[]> {
  const failed = ['aof_last_write_status', 'rdb_last_bgsave_status'].filter((key) => value(key) === 'err');
  if (failed.length > 0) {
    return [
      {
        id: 'redis_cannot_write',
        severity: 'critical',
        meaning: `Redis could not write to its disk the last time (${failed.join(', ')}), and may refuse commands.`,
        remedy: "Look at Redis's log, and at the space on its disk.",
      },
    ];
  }
  if (value('aof_enabled') !== '0' || (await saves(client))) return [];
  return [
    {
      id: 'redis_keeps_nothing',
      severity: 'info',
      meaning:
        'Redis keeps nothing over a restart. No change to the server is lost by that, as all of them are in PostgreSQL, but commands in the queue are, and their callers have to ask again.',
      remedy: 'Set `appendonly yes` in its configuration.',
    },
  ];
}

/** Whether snapshots are configured. Where the question is not allowed, it is taken for a yes. */
async function saves(client: Redis): Promise<boolean> {
  const answer = await client.config('GET', 'save').catch(() => undefined);
  return !Array.isArray(answer) || answer[1] !== '';
}

function room(value: Value): Finding[] {
  const [used, most] = [Number(value('used_memory')), Number(value('maxmemory'))];
  if (!(most > 0) || used < most * almostFull) return [];
  return [
    {
      id: 'redis_almost_full',
      severity: 'warning',
      meaning: `Redis uses ${Math.round((used / most) * 100)} % of its maxmemory. When that is full it refuses commands, and nothing can be changed.`,
      remedy: 'Raise maxmemory, and see which queue has grown (seneschal_queue_commands).',
    },
  ];
}
