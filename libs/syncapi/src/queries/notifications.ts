import type { NotifiableEvent, NotificationsRequest, ReadUpTo } from '@seneschal/contracts';
import {
  evaluatePushRules,
  invalidParam,
  isJsonObject,
  type JsonObject,
  own,
  pushActions,
} from '@seneschal/matrix';

import { syncEvents } from '../client-event.ts';
import type { SyncReads } from '../sync/sync-query.ts';

const batchSize = 100;
/** What notifies of nothing is passed over for so many batches; then the page ends, and the next one goes on. */
const mostBatches = 10;

/**
 * A page of what the user was notified of, or would have been (client-server API, `GET /notifications`): made from the
 * events and the push rules of now, so nothing is kept of it. A token names the position before which the page begins.
 */
export async function notifications(
  reads: Pick<SyncReads, 'roomserver' | 'userapi'>,
  { userId, deviceId, from, limit, onlyHighlights }: NotificationsRequest,
): Promise<{ notifications: JsonObject[]; next?: string }> {
  const ruleset = own(await reads.userapi.accountData(userId, null, 'm.push_rules'), 'global');
  const rules = isJsonObject(ruleset) ? ruleset : {};
  const found: Notified[] = [];
  let before = from === undefined ? Number.MAX_SAFE_INTEGER : positionOf(from);
  let isEnd = false;
  for (let batch = 0; batch < mostBatches && !isEnd && found.length < limit; batch += 1) {
    const events = await reads.roomserver.notifiableEvents(userId, { deviceId, before, limit: batchSize });
    isEnd = events.length < batchSize;
    for (const event of events) {
      if (found.length === limit) {
        isEnd = false;
        break;
      }
      before = event.event.position;
      const notified = notify(rules, event);
      if (notified !== undefined && (!onlyHighlights || notified.isHighlight)) found.push(notified);
    }
  }
  const read = await reads.userapi.readUpTo(userId, [...new Set(found.map(({ event }) => event.roomId))]);
  return {
    notifications: found.map((one) => show(one, read.get(one.event.roomId))),
    ...(isEnd ? {} : { next: `n${before}` }),
  };
}

function positionOf(token: string): number {
  const match = /^n(\d{1,16})$/.exec(token);
  if (match === null) throw invalidParam('from is no token of notifications.');
  return Number(match[1]);
}

interface Notified extends Pick<NotifiableEvent, 'event' | 'threadId'> {
  actions: ReturnType<typeof pushActions>;
  isHighlight: boolean;
}

function notify(rules: JsonObject, { event, threadId, ...context }: NotifiableEvent): Notified | undefined {
  const { type, sender, content, state_key: stateKey } = event.pdu;
  const subject = {
    type,
    sender,
    content,
    room_id: event.roomId,
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
  };
  const { notify: isNotified, highlight: isHighlight } = evaluatePushRules(rules, subject, context);
  if (!isNotified) return undefined;
  return { event, threadId, actions: pushActions(rules, subject, context), isHighlight };
}

function show({ event, threadId, actions }: Notified, read: ReadUpTo | undefined): JsonObject {
  const upTo = Math.max(read?.all ?? 0, read?.threads.get(threadId ?? 'main') ?? 0);
  const [shown = {}] = syncEvents([event]);
  return {
    room_id: event.roomId,
    event: shown,
    actions,
    read: event.position <= upTo,
    ts: event.pdu.origin_server_ts,
  };
}
