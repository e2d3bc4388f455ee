import { eventIdOf, type Pdu, roomVersion } from '@seneschal/matrix';
import { startPeer } from '@seneschal/testing';
import { sql } from 'kysely';

import { deliver } from './asking.ts';
import { enterRoom, eventOf, type Foothold } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';

const version = roomVersion('10');
const secret = 'the treasure is under the oak';

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));

/** A message of the peer's user, and his redaction of it, which says that it follows the message or does not. */
function messageAndRedaction(foothold: Foothold, isAfter: boolean): { message: Pdu; redaction: Pdu } {
  const content = { msgtype: 'm.text', body: secret };
  const message = eventOf(peer, foothold, { type: 'm.room.message', content });
  const eventId = eventIdOf(message, version);
  const after = isAfter ? { prev_events: [eventId], depth: 21 } : {};
  const given = { type: 'm.room.redaction', content: { reason: 'a slip' }, redacts: eventId, ...after };
  return { message, redaction: eventOf(peer, foothold, given) };
}

async function take(...pdus: Pdu[]): Promise<void> {
  expect(Object.values(await deliver(peer, world, { pdus }))).toEqual(pdus.map(() => ({})));
}

/** What Alice sees of an event, and whether the server holds its text anywhere. */
async function seen(
  { roomId }: Foothold,
  pdu: Pdu,
): Promise<{ content: unknown; by: unknown; isKept: boolean }> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(eventIdOf(pdu, version))}`;
  const { body } = await alice.request('GET', path);
  const kept = await sql`
    SELECT FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId} AND strpos(json, ${secret}) > 0`.execute(world.sql);
  const event = body as { content?: unknown; unsigned?: { redacted_because?: { event_id?: unknown } } };
  return {
    content: event.content,
    by: event.unsigned?.redacted_because?.event_id,
    isKept: kept.rows.length > 0,
  };
}

describe('a redaction from another server', () => {
  it.each([
    ['in one transaction with its message', true, (message: Pdu, redaction: Pdu) => [[message, redaction]]],
    [
      'before its message, in one transaction',
      false,
      (message: Pdu, redaction: Pdu) => [[redaction, message]],
    ],
    ['after its message', true, (message: Pdu, redaction: Pdu) => [[message], [redaction]]],
    ['before its message', false, (message: Pdu, redaction: Pdu) => [[redaction], [message]]],
  ])('takes the content away: %s', async (_name, isAfter, order) => {
    const foothold = await enterRoom({ world, peer, alice });
    const { message, redaction } = messageAndRedaction(foothold, isAfter);
    for (const pdus of order(message, redaction)) await take(...pdus);
    expect(await seen(foothold, message)).toEqual({
      content: {},
      by: eventIdOf(redaction, version),
      isKept: false,
    });
  });

  it('takes nothing away that its sender may not, even before it', async () => {
    const foothold = await enterRoom({ world, peer, alice });
    const stranger = await startPeer();
    const other = await enterRoom({ world, peer: stranger, alice });
    expect(other.roomId).not.toBe(foothold.roomId);
    const { message } = messageAndRedaction(foothold, false);
    const redacts = eventIdOf(message, version);
    // In another room it names an event which is not of that room.
    const elsewhere = eventOf(stranger, other, { type: 'm.room.redaction', content: {}, redacts });
    await deliver(stranger, world, { pdus: [elsewhere] });
    await take(message);
    expect(await seen(foothold, message)).toMatchObject({ content: { body: secret }, isKept: true });
    await stranger.stop();
  });
});
