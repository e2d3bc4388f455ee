import type {
  EventContext,
  SearchGroup,
  SearchPage,
  SearchResult,
  StoredEvent,
  SyncapiForClient,
} from '@seneschal/contracts';
import { ownString } from '@seneschal/matrix';
import { clientEvents } from '@seneschal/syncapi';
import { z } from 'zod';

import { jsonObject } from '../rooms/shapes.ts';

const profile = z.object({ displayname: z.string().optional(), avatar_url: z.string().optional() });

const context = z.object({
  start: z.string(),
  end: z.string(),
  events_before: z.array(jsonObject),
  events_after: z.array(jsonObject),
  profile_info: z.record(z.string(), profile).optional(),
});

const group = z.object({ order: z.int(), results: z.array(z.string()), next_batch: z.string().optional() });

const roomEvents = z.object({
  count: z.int(),
  results: z.array(z.object({ rank: z.number(), result: jsonObject, context: context.optional() })),
  highlights: z.array(z.string()),
  state: z.record(z.string(), z.array(jsonObject)).optional(),
  groups: z.record(z.string(), z.record(z.string(), group)).optional(),
  next_batch: z.string().optional(),
});

export const searchAnswer = z.object({
  search_categories: z.object({ room_events: roomEvents.optional() }),
});

type Tokens = Pick<SyncapiForClient, 'tokenOf'>;

/** A page as the client-server API shows it. */
export function answerOf(page: SearchPage, tokens: Tokens): z.infer<typeof roomEvents> {
  const state =
    page.state && Object.fromEntries([...page.state].map(([id, events]) => [id, clientEvents(events)]));
  return {
    count: page.count,
    results: page.results.map((result) => resultOf(result, tokens)),
    highlights: page.highlights,
    ...(state === undefined ? {} : { state }),
    ...(page.groups.length === 0 ? {} : { groups: groupsOf(page.groups) }),
    ...(page.nextBatch === undefined ? {} : { next_batch: page.nextBatch }),
  };
}

function resultOf(
  { event, rank, context: around }: SearchResult,
  tokens: Tokens,
): z.infer<typeof roomEvents>['results'][number] {
  const [result = {}] = clientEvents([event]);
  return { rank, result, ...(around === undefined ? {} : { context: contextOf(around, tokens) }) };
}

function contextOf(
  { before, after, members, start, end }: EventContext,
  tokens: Tokens,
): z.infer<typeof context> {
  const profiles = Object.fromEntries(members.map(profileOf));
  return {
    start: tokens.tokenOf(start),
    end: tokens.tokenOf(end),
    events_before: clientEvents(before),
    events_after: clientEvents(after),
    ...(members.length === 0 ? {} : { profile_info: profiles }),
  };
}

function profileOf({ pdu }: StoredEvent): [userId: string, profile: z.infer<typeof profile>] {
  const displayname = ownString(pdu.content, 'displayname');
  const avatarUrl = ownString(pdu.content, 'avatar_url');
  return [
    pdu.state_key ?? '',
    {
      ...(displayname === undefined ? {} : { displayname }),
      ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
    },
  ];
}

function groupsOf(groups: readonly SearchGroup[]): Record<string, Record<string, z.infer<typeof group>>> {
  const result: Record<string, Record<string, z.infer<typeof group>>> = {};
  for (const { key, value, order, eventIds, nextBatch } of groups) {
    (result[key] ??= {})[value] = {
      order,
      results: eventIds,
      ...(nextBatch === undefined ? {} : { next_batch: nextBatch }),
    };
  }
  return result;
}
