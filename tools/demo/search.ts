import { setTimeout as delay } from 'node:timers/promises';

import { at, sendMessage } from '../shared/matrix.ts';
import { verify } from './checks.ts';
import { admin, type Call, type Stage, v3 } from './stage.ts';

const patienceMs = 60_000;
const word = 'doubloon';

/** Searching as a member and as a stranger, and looking after the index. Runs while the members are still there. */
export function searching(stage: Stage): Call[] {
  const { client, world } = stage;
  const token = world.admin.token;
  const member = world.members[0] ?? world.admin;
  return [
    {
      name: 'POST /_dendrite/admin/fulltext/reindex',
      size: 'all messages',
      run: async () => {
        await sendMessage(client, member, world.bigRoom, 'searched', `The ${word} gleams at the main mast.`);
        await client.expect('POST', `${admin}/fulltext/reindex`, { token });
        return untilConsistent(stage);
      },
      check: async (status) => {
        verify(at(status, 'comparison', 'consistent') === true, 'the index differs from the rooms');
        verify((await found(stage, member.token)) > 0, 'a member does not find a message');
        verify((await found(stage, world.traveller.token)) === 0, 'a stranger finds a message');
      },
    },
    {
      name: 'GET /_seneschal/v1/search/status',
      size: 'all messages',
      run: () => client.expect('GET', '/_seneschal/v1/search/status', { token }),
      check: async (status) => {
        const isConsistent = at(status, 'comparison', 'consistent') === true;
        verify(isConsistent, `it differs: ${JSON.stringify(at(status, 'comparison'))}`);
      },
    },
  ];
}

/** The status when no reindex is under way any more, and the index has come to the last message. */
async function untilConsistent({ client, world }: Stage): Promise<unknown> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const status = await client.expect('GET', '/_seneschal/v1/search/status', { token: world.admin.token });
    const isUpToDate = at(status, 'index', 'position') === at(status, 'index', 'latest_position');
    if ((at(status, 'job_id') === undefined && isUpToDate) || Date.now() > end) return status;
    await delay(50);
  }
}

/** How many messages with the word a user finds. */
async function found({ client }: Stage, token: string): Promise<number> {
  const body = { search_categories: { room_events: { search_term: word } } };
  const answer = await client.expect('POST', `${v3}/search`, { token, body });
  return Number(at(answer, 'search_categories', 'room_events', 'count'));
}
