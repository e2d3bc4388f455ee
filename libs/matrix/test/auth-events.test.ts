import { authTypes, checkAuthEvents, roomVersion, type JsonObject } from '../src/index.ts';
import { ALICE, BOB, CAROL, TestRoom, failure } from './fixtures.ts';

const CREATE = ['m.room.create', ''];
const LEVELS = ['m.room.power_levels', ''];
const RULES = ['m.room.join_rules', ''];
const member = (userId: string) => ['m.room.member', userId];

function select(version: string, type: string, content: JsonObject, stateKey?: string) {
  return authTypes({ type, sender: ALICE, state_key: stateKey, content }, roomVersion(version));
}

describe('authTypes', () => {
  it('names the create event up to version 11', () => {
    expect(select('11', 'm.room.message', {})).toEqual([CREATE, LEVELS, member(ALICE)]);
    expect(select('12', 'm.room.message', {})).toEqual([LEVELS, member(ALICE)]);
  });

  it('is empty for the create event', () => {
    expect(select('11', 'm.room.create', {}, '')).toEqual([]);
    expect(select('12', 'm.room.create', {}, '')).toEqual([]);
  });

  it.each<[string, string, JsonObject, string[][]]>([
    ['join', ALICE, {}, [RULES]],
    ['join', ALICE, { join_authorised_via_users_server: BOB }, [RULES, member(BOB)]],
    ['join', ALICE, { join_authorised_via_users_server: ALICE }, [RULES]],
    ['join', ALICE, { join_authorised_via_users_server: 1 }, [RULES]],
    ['knock', ALICE, {}, [RULES]],
    ['leave', ALICE, { join_authorised_via_users_server: BOB }, []],
    ['leave', BOB, {}, [member(BOB)]],
    ['ban', BOB, {}, [member(BOB)]],
    ['invite', BOB, {}, [member(BOB), RULES]],
    [
      'invite',
      BOB,
      { third_party_invite: { signed: { token: 't' } } },
      [member(BOB), RULES, ['m.room.third_party_invite', 't']],
    ],
    ['invite', BOB, { third_party_invite: { signed: { token: 1 } } }, [member(BOB), RULES]],
    ['leave', BOB, { third_party_invite: { signed: { token: 't' } } }, [member(BOB)]],
  ])('for a %s of %s with %j', (membership, target, content, more) => {
    const selected = select('12', 'm.room.member', { membership, ...content }, target);
    expect(selected).toEqual([LEVELS, member(ALICE), ...more]);
  });
});

describe('checkAuthEvents', () => {
  const room = (version: string) => {
    const made = new TestRoom(version).withMember(ALICE, 'join').withState('m.room.power_levels', {});
    return { made, event: made.event({ type: 'm.room.message', sender: ALICE, content: {} }) };
  };
  const run = (version: string, pick: (room: TestRoom) => (string | undefined)[][], rejected = false) => {
    const { made, event } = room(version);
    const authEvents = pick(made).map(([type = '', key = '']) => ({ pdu: made.get(type, key)!, rejected }));
    return () => checkAuthEvents(event, made.roomId, authEvents, made.version);
  };
  const forbidden = failure('M_FORBIDDEN');

  it('allows the selection', () => {
    expect(run('11', () => [CREATE, LEVELS, member(ALICE)])).not.toThrow();
    expect(run('12', () => [LEVELS, member(ALICE)])).not.toThrow();
  });

  it('wants the create event up to version 11 and none in version 12', () => {
    expect(run('11', () => [LEVELS, member(ALICE)])).toThrow(forbidden);
    expect(run('12', () => [CREATE, LEVELS, member(ALICE)])).toThrow(forbidden);
  });

  it('refuses duplicates, rejected events and what is not selected (CVE-2022-31152)', () => {
    expect(run('12', () => [LEVELS, LEVELS])).toThrow(forbidden);
    expect(run('12', () => [LEVELS], true)).toThrow(forbidden);
    expect(run('12', (made) => (made.withMember(CAROL, 'join'), [member(CAROL)]))).toThrow(forbidden);
  });

  it('refuses events of another room and message events', () => {
    const { made, event } = room('12');
    const check = (change: object) => () => {
      const pdu = { ...made.get('m.room.power_levels', '')!, ...change };
      checkAuthEvents(event, made.roomId, [{ pdu, rejected: false }], made.version);
    };
    expect(check({})).not.toThrow();
    expect(check({ room_id: '!other:here' })).toThrow(forbidden);
    expect(check({ state_key: undefined })).toThrow(forbidden);
  });
});
