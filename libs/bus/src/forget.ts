import type { Redis } from 'ioredis';
import { type Kysely, sql } from 'kysely';

import { componentNames } from '@seneschal/contracts';

import type { ReplyTables } from './replies.ts';

/**
 * Takes the finished jobs whose data or reply hold a text out of one queue of BullMQ; answers how many. In Redis
 * itself: thousands of jobs need not be sent here to be looked through. The queue's stream of events, which holds
 * replies too and which nobody reads, is emptied. What waits or runs is left: it will be refused.
 */
const forgetInQueue = `
local queue, needle, removed = KEYS[1], ARGV[1], 0
for _, set in ipairs({'completed', 'failed'}) do
  for _, id in ipairs(redis.call('ZRANGE', queue .. ':' .. set, 0, -1)) do
    local job = queue .. ':' .. id
    for _, value in ipairs(redis.call('HMGET', job, 'data', 'returnvalue')) do
      if value and string.find(value, needle, 1, true) then
        redis.call('ZREM', queue .. ':' .. set, id)
        redis.call('DEL', job, job .. ':logs')
        removed = removed + 1
        break
      end
    end
  end
end
redis.call('XTRIM', queue .. ':events', 'MAXLEN', 0)
return removed
`;

/** Forgets every remembered reply and every finished command that names something, such as a room. */
export async function forgetNaming(
  { redis, prefix }: { redis: Redis; prefix: string },
  db: Kysely<ReplyTables>,
  name: string,
): Promise<Record<string, number>> {
  // As it stands within JSON.
  const needle = JSON.stringify(name).slice(1, -1);
  let commands = 0;
  for (const component of componentNames) {
    commands += Number(await redis.eval(forgetInQueue, 1, `${prefix}:${component}`, needle));
  }
  const replies = await sql`DELETE FROM bus_replies WHERE strpos(reply::text, ${needle}) > 0`.execute(db);
  return { bus_replies: Number(replies.numAffectedRows ?? 0n), queued_commands: commands };
}
