import { type RawBuilder, sql } from 'kysely';

import type { EventFilter } from '@seneschal/contracts';
import { ownString, type Pdu } from '@seneschal/matrix';

/** The part of a filter that the database applies to `roomserver_events e`; always the same text. */
export function filterCondition(filter: EventFilter | undefined): RawBuilder<boolean> {
  const types = filter?.types?.map(likePattern) ?? null;
  const notTypes = filter?.notTypes?.map(likePattern) ?? null;
  return sql<boolean>`(
    (${types}::text[] IS NULL OR e.type LIKE ANY (${types}::text[]))
    AND (${notTypes}::text[] IS NULL OR NOT e.type LIKE ANY (${notTypes}::text[]))
    AND (${filter?.senders ?? null}::text[] IS NULL OR e.sender = ANY (${filter?.senders ?? null}::text[]))
    AND (${filter?.notSenders ?? null}::text[] IS NULL OR e.sender <> ALL (${filter?.notSenders ?? null}::text[]))
  )`;
}

/** `*` in a filter's types stands for any characters. */
function likePattern(type: string): string {
  return type.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}

/** The rest of the filter: what stands in the content. */
export function passesContentFilter(pdu: Pdu, filter: EventFilter | undefined): boolean {
  if (filter?.containsUrl === undefined) return true;
  return (ownString(pdu.content, 'url') !== undefined) === filter.containsUrl;
}
