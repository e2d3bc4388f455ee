import type { CallBus, Consumer, LogEntry } from '@seneschal/bus';
import { userapi, type UserapiFact, type UserapiForFederation } from '@seneschal/contracts';

import { deviceListEdus, type DeviceListEdusDeps } from '../edus/device-lists.ts';
import { receiptEdus, type ReceiptEdusDeps } from '../edus/receipts.ts';
import { type DurableEdu, enqueueEdus, enqueueEphemeral } from '../storage/edus.ts';
import type { FederationTransaction } from '../storage/tables.ts';

export interface UserapiConsumerDeps extends DeviceListEdusDeps, ReceiptEdusDeps {
  bus: CallBus;
  userapi: DeviceListEdusDeps['userapi'] &
    ReceiptEdusDeps['userapi'] &
    Pick<UserapiForFederation, 'outgoingToDevice'>;
  roomserver: DeviceListEdusDeps['roomserver'] & ReceiptEdusDeps['roomserver'];
  /** Called after the commit. */
  wake: () => unknown;
}

/** Changes of one user's devices that wait for a server; beyond it, the newest makes the server fetch the list. */
const mostOfUser = 20;

/** Messages to devices of other servers, which the user API has kept until now. */
async function toDeviceEdus(
  { userapi: reads }: UserapiConsumerDeps,
  entries: readonly LogEntry<UserapiFact>[],
): Promise<DurableEdu[]> {
  const queued = entries.filter(({ fact }) => fact.kind === 'to_device_queued');
  const outgoing = await reads.outgoingToDevice(queued.map(({ position }) => position));
  return outgoing.map(({ serverName, messageId, sender, type, messages }) => ({
    type: 'm.direct_to_device',
    subject: null,
    content: { sender, type, message_id: messageId, messages },
    destinations: [serverName],
  }));
}

/** Queues what other servers are told of local users and their devices. */
export function userapiConsumer(deps: UserapiConsumerDeps): Consumer<UserapiFact> {
  let hasQueued = false;
  return {
    name: 'federation-userapi',
    log: userapi.userapiOutput,
    lingerMs: 20,
    apply: async (transaction, entries) => {
      const trx = transaction as unknown as FederationTransaction;
      // Devices first: who gets a message of a new device knows it then.
      const edus = [...(await deviceListEdus(deps, entries)), ...(await toDeviceEdus(deps, entries))];
      await enqueueEdus(trx, edus, mostOfUser);
      const receipts = await receiptEdus(deps, entries);
      await enqueueEphemeral(trx, receipts);
      hasQueued ||= edus.length + receipts.length > 0;
    },
    afterCommit: async (entries) => {
      if (hasQueued) void deps.wake();
      hasQueued = false;
      const last = entries.findLast(({ fact }) => fact.kind === 'to_device_queued');
      if (last !== undefined) await deps.bus.call(userapi.forgetOutgoingToDevice, { upTo: last.position });
    },
  };
}
