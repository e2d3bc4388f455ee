import { eventIdOf, type Pdu, roomVersion } from '@seneschal/matrix';

import { deliver, errorsOf } from './asking.ts';
import { enterRoom, eventOf, type Foothold } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { texts } from './sharing.ts';

const v1 = '/_matrix/federation/v1';
const version = roomVersion('10');

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));

const message = (foothold: Foothold, body: string, more: object = {}): Pdu =>
  eventOf(peer, foothold, {
    ...{ type: 'm.room.message', content: { msgtype: 'm.text', body } },
    ...more,
  });

/** Sends an event that comes after another, which the peer tells of when it is asked. */
async function sendAfter(foothold: Foothold, missing: Pdu): Promise<(string | undefined)[]> {
  peer.answer(`${v1}/get_missing_events`, () => ({ body: { events: [missing as never] } }));
  peer.answer(`${v1}/state`, () => ({ body: { pdus: [], auth_chain: [] } }));
  const after = { prev_events: [eventIdOf(missing, version)], depth: 30 };
  return errorsOf(await deliver(peer, world, { pdus: [message(foothold, 'after', after)] }));
}

describe('events that are asked for because they are missing (CVE-2022-39200)', () => {
  it('are taken with what comes after them', async () => {
    const foothold = await enterRoom({ world, peer, alice });
    expect(await sendAfter(foothold, message(foothold, 'missing'))).toEqual([undefined]);
    expect(await texts(alice, foothold.roomId)).toEqual(['missing', 'after']);
  });

  it('are not taken with a signature of another event, of another server, or without one', async () => {
    const foothold = await enterRoom({ world, peer, alice });
    const { signatures } = message(foothold, 'another');
    for (const forged of [
      { ...message(foothold, 'another signature'), signatures },
      message(foothold, 'of a user of this server', { sender: alice.userId }),
      { ...message(foothold, 'no signature'), signatures: {} },
    ]) {
      expect(await sendAfter(foothold, forged)).toEqual([expect.any(String)]);
    }
    expect(await texts(alice, foothold.roomId)).toEqual([]);
  });
});
