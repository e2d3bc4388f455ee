import { redactionTarget, roomVersion, toClientEvent, toStrippedState } from '../src/index.ts';
import { ALICE, BOB, TestRoom } from './fixtures.ts';

const room = new TestRoom('12');
const message = room.event({ type: 'm.room.message', sender: ALICE, content: { body: 'x' } });

describe('toClientEvent', () => {
  it('has the fields of the client format and nothing of the PDU beside', () => {
    const hostile = { ...message, unsigned: { redacted_because: {} } };
    expect(toClientEvent(hostile, '$id', room.roomId)).toEqual({
      type: 'm.room.message',
      event_id: '$id',
      room_id: room.roomId,
      sender: ALICE,
      origin_server_ts: 1,
      content: { body: 'x' },
    });
  });

  it('puts what the reader may know under unsigned', () => {
    const extra = {
      age: 5,
      transactionId: 't',
      redactedBecause: { type: 'm.room.redaction' },
      prevContent: { topic: 'old' },
      replacesState: '$old',
      membership: 'join',
    };
    expect(toClientEvent(room.member(BOB, 'join'), '$id', room.roomId, extra)).toMatchObject({
      state_key: BOB,
      unsigned: {
        age: 5,
        transaction_id: 't',
        redacted_because: { type: 'm.room.redaction' },
        prev_content: { topic: 'old' },
        replaces_state: '$old',
        membership: 'join',
      },
    });
  });

  it('keeps an empty state_key', () => {
    const topic = room.event({ type: 'm.room.topic', sender: ALICE, state_key: '', content: {} });
    expect(toClientEvent(topic, '$id', room.roomId)).toHaveProperty('state_key', '');
  });

  it.each([
    ['10', { redacts: '$top' }],
    ['12', { content: { redacts: '$top' } }],
  ])('shows the target of a redaction in version %s in both places', (version, where) => {
    const pdu = { ...room.event({ type: 'm.room.redaction', sender: ALICE, content: {} }), ...where };
    const event = toClientEvent(pdu, '$id', room.roomId, { version: roomVersion(version) });
    expect(event).toMatchObject({ redacts: '$top', content: { redacts: '$top' } });
    expect(pdu.content).not.toBe(event['content']);
    expect(toClientEvent(pdu, '$id', room.roomId)).toEqual(event);
  });

  it('believes the place that the room version names', () => {
    const redaction = room.event({
      type: 'm.room.redaction',
      sender: ALICE,
      content: { redacts: '$content' },
    });
    const pdu = { ...redaction, redacts: '$top' };
    expect(redactionTarget(pdu, roomVersion('10'))).toBe('$top');
    expect(redactionTarget(pdu, roomVersion('11'))).toBe('$content');
    expect(redactionTarget(message)).toBeUndefined();
  });
});

describe('toStrippedState', () => {
  it('has four fields', () => {
    const content = { membership: 'invite' };
    expect(toStrippedState(room.member(BOB, 'invite', ALICE))).toEqual({
      type: 'm.room.member',
      state_key: BOB,
      sender: ALICE,
      content,
    });
  });
});
