import type { CallBus } from '@seneschal/bus';
import { type BlockedServer, federation as commands, type FederationForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam, isServerName, parseServerName } from '@seneschal/matrix';
import { z } from 'zod';

import { limitOr100 } from '../../paging.ts';
import { base, pageOf } from './shapes.ts';

export interface BlocksDeps {
  bus: CallBus;
  federation: Pick<FederationForAdmin, 'blockedServers'>;
  config: { server_name: string };
}

const entry = z.object({
  server_name: z.string(),
  note: z.string().nullable(),
  blocked_by: z.string(),
  blocked_ts: z.number(),
});

/** Names are blocked however they are written; `*.` stands for every host below a domain, at any port. */
const entryName = z
  .string()
  .refine(isEntryName, 'is not a server name, or *. and a domain')
  .transform((name) => name.toLowerCase());

export const listBlocks = ({ federation }: BlocksDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${base}/blocks`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The servers that are blocked, by name',
    query: z.object({ from: z.string().max(255).optional(), limit: limitOr100 }),
    answer: z.object({ blocks: z.array(entry), next_token: z.string().optional() }),
    handle: async ({ query }) => {
      const limit = Math.max(query.limit, 1);
      const found = await federation.blockedServers({ after: query.from, limit: limit + 1 });
      const { entries, next } = pageOf(found, limit, (last) => last.serverName);
      return { blocks: entries.map(shown), ...next };
    },
  });

export const addBlock = ({ bus, config }: BlocksDeps): Endpoint =>
  endpoint({
    method: 'PUT',
    path: `${base}/blocks/:serverName`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'federation',
    summary: 'Blocks a server: nothing is sent to it or taken from it any more',
    params: z.object({ serverName: entryName }),
    body: z.object({ note: z.string().max(1000, 'is longer than 1000 characters').nullish() }),
    bodyOptional: true,
    answer: entry,
    handle: async ({ params: { serverName }, body: { note = null }, requester }) => {
      if (covers(serverName, config.server_name.toLowerCase()))
        throw invalidParam('This is this server itself.');
      return shown(await bus.call(commands.blockServer, { serverName, note, blockedBy: requester.userId }));
    },
  });

export const removeBlock = ({ bus }: BlocksDeps): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: `${base}/blocks/:serverName`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'federation',
    summary: 'Takes a server off the block list',
    params: z.object({ serverName: entryName }),
    answer: z.object({}),
    handle: ({ params: { serverName } }) => bus.call(commands.unblockServer, { serverName }),
  });

function isEntryName(name: string): boolean {
  const domain = name.startsWith('*.') ? name.slice(2) : undefined;
  return domain === undefined
    ? isServerName(name)
    : isServerName(domain) && parseServerName(domain).port === undefined;
}

/** Whether a block of `name` would be one of this server. */
function covers(name: string, own: string): boolean {
  const { host } = parseServerName(own);
  return [own, host].includes(name) || (name.startsWith('*.') && host.endsWith(name.slice(1)));
}

function shown(block: BlockedServer): z.infer<typeof entry> {
  return {
    server_name: block.serverName,
    note: block.note,
    blocked_by: block.blockedBy,
    blocked_ts: block.blockedTs,
  };
}
