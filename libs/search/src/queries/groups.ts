import type { SearchGroup, SearchGroupKey, SearchRequest } from '@seneschal/contracts';

import type { Found } from './ask-engine.ts';
import { formatToken, type PageToken } from './tokens.ts';

/** The results of a page by room and by sender, as far as asked for. */
export function groupsOf(
  { groupBy }: Pick<SearchRequest, 'groupBy'>,
  found: Found,
  from: PageToken,
): SearchGroup[] {
  return [...new Set(groupBy)].flatMap((key) => groupsBy(key, found, from));
}

function groupsBy(key: SearchGroupKey, { results, next }: Found, from: PageToken): SearchGroup[] {
  const groups = new Map<string, Found['results']>();
  for (const result of results) {
    const value = key === 'room_id' ? result.event.roomId : result.event.pdu.sender;
    groups.set(value, [...(groups.get(value) ?? []), result]);
  }
  return [...groups].map(([value, members], order) => {
    const token = next === undefined ? undefined : groupToken({ key, value }, members, from);
    return {
      key,
      value,
      order,
      eventIds: members.map(({ event }) => event.eventId),
      ...(token === undefined ? {} : { nextBatch: formatToken(token) }),
    };
  });
}

/**
 * Where the rest of a group starts. By rank that is known on the first page alone, where all earlier results of
 * the group stand; on later pages it is only known within the group itself.
 */
function groupToken(
  group: NonNullable<PageToken['group']>,
  members: Found['results'],
  from: PageToken,
): PageToken | undefined {
  const isSame = from.group?.key === group.key && from.group.value === group.value;
  if (from.group !== undefined && !isSame) return undefined;
  if (from.order === 'recent') {
    return { ...from, group, upTo: Math.max(0, (members.at(-1)?.event.position ?? 1) - 1) };
  }
  if (from.offset > 0 && !isSame) return undefined;
  return { ...from, group, offset: from.offset + members.length };
}
