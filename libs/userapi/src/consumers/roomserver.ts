import type { Consumer, WakeBus } from '@seneschal/bus';
import { roomserver, type RoomserverFact, type RoomserverForUserapi } from '@seneschal/contracts';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';

import { directRooms, pushRulesOfSuccessor } from '../room-settings.ts';
import { type AccountDataKey, changeAccountData, selectAccountData } from '../storage/account-data.ts';
import { wakeConsumers } from '../storage/output.ts';
import type { UserapiTransaction } from '../storage/tables.ts';

export interface RoomserverConsumerDeps {
  bus: WakeBus;
  roomserver: RoomserverForUserapi;
  serverName: string;
}

/**
 * Who joins the room that another was upgraded to finds it as that one was: with its tags, its push rules and its place
 * among direct chats (client-server API, "Room Upgrades"). What the user has set of the new room stays.
 */
export function roomserverConsumer({
  bus,
  roomserver: reads,
  serverName,
}: RoomserverConsumerDeps): Consumer<RoomserverFact> {
  let position = 0;
  return {
    name: 'userapi-roomserver',
    log: roomserver.roomserverOutput,
    lingerMs: 200,
    apply: async (transaction, entries) => {
      const joins = entries.flatMap(({ fact }) => (fact.kind === 'events_stored' ? joinsIn(fact) : []));
      const ours = joins.filter(({ userId }) => serverNameOf(userId) === serverName);
      if (ours.length === 0) return;
      const before = await reads.predecessors([...new Set(ours.map(({ roomId }) => roomId))]);
      for (const { userId, roomId: to } of ours) {
        const from = before.get(to);
        if (from === undefined) continue;
        const carried = await carry(transaction as unknown as UserapiTransaction, { userId, from, to });
        position = Math.max(position, carried);
      }
    },
    afterCommit: async () => wakeConsumers(bus, position),
  };
}

interface Join {
  userId: string;
  roomId: string;
}

function joinsIn({ roomId, memberships }: Extract<RoomserverFact, { kind: 'events_stored' }>): Join[] {
  return memberships
    .filter(({ previous, membership }) => membership === 'join' && previous !== 'join')
    .map(({ userId }) => ({ userId, roomId }));
}

/** Carried over twice it is carried over once. Answers the position of the last fact, 0 when there was nothing to do. */
async function carry(
  trx: UserapiTransaction,
  { userId, from, to }: { userId: string; from: string; to: string },
): Promise<number> {
  const change = async (
    key: AccountDataKey,
    next: (old: JsonObject | undefined) => JsonObject | undefined,
  ): Promise<number> => {
    if (next(await selectAccountData(trx, key)) === undefined) return 0;
    return changeAccountData(trx, key, (old) => next(old) ?? old ?? {});
  };
  const tags = await selectAccountData(trx, { userId, roomId: from, type: 'm.tag' });
  const positions = [
    await change({ userId, roomId: to, type: 'm.tag' }, (old) => (old === undefined ? tags : undefined)),
    await change({ userId, roomId: null, type: 'm.push_rules' }, (old) =>
      pushRulesOfSuccessor(old, from, to),
    ),
    await change({ userId, roomId: null, type: 'm.direct' }, (old) => directRooms(old, from, to)),
  ];
  return Math.max(...positions);
}
