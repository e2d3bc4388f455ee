import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { buildEvent, generateSigningKey, type Pdu, roomVersion } from '@seneschal/matrix';
import { sql } from 'kysely';

import { numberOf, purgePath, say } from './rooms.ts';
import { errorOf, Stage } from './stage.ts';

const path = '/_seneschal/v1/rooms/import';
const signer = { serverName: 'other.example', key: generateSigningKey() };
const madeTs = 1_700_000_000_000;

type Line = Record<string, unknown>;

let stage: Stage, folder: string, lines: Line[], roomId: string;
beforeAll(async () => {
  stage = await Stage.open();
  folder = join(stage.world.homeserver.platform.config.data_dir, 'exports');
  roomId = await stage.room(stage.user);
  await say(stage.user, roomId, 'ours');
  await stage.ask('POST', `${purgePath(roomId)}?export=true&evacuate=false`);
  const [, body] = await stage.ask('GET', '/_seneschal/v1/deletions');
  const [record] = body['deletions'] as { export: string }[];
  const text = gunzipSync(await readFile(join(folder, record?.export ?? ''))).toString('utf8');
  lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
});
afterAll(() => stage.stop());

/** An event of the other server, as it might have come over federation. */
function foreignEvent(sender = '@bob:other.example'): { eventId: string; pdu: Pdu } {
  const last = lines.findLast(({ kind }) => kind === 'event');
  const version = roomVersion(String(lines[0]?.['room_version']));
  const ours = JSON.parse(String(last?.['json'])) as Pdu;
  const { room_id, auth_events, prev_events, depth } = ours;
  const content = { msgtype: 'm.text', body: 'theirs' };
  const fields = { room_id, auth_events, prev_events, depth, content, sender, type: 'm.room.message' };
  const { eventId, pdu } = buildEvent({ ...fields, origin_server_ts: madeTs } as never, version, signer);
  return { eventId, pdu };
}

/** Imports the archive with one more event, as a rehearsal unless said otherwise. */
async function importWith(
  { eventId, pdu }: { eventId: string; pdu: object },
  query = '?dry_run=true',
): ReturnType<Stage['admin']['request']> {
  const at = lines.findLastIndex(({ kind }) => kind === 'event') + 1;
  const event = { kind: 'event', event_id: eventId, json: JSON.stringify(pdu) };
  const more = lines.toSpliced(at, 0, event).map((line) => {
    const counts = line['lines'] as Record<string, number>;
    return line['kind'] === 'end'
      ? { ...line, lines: { ...counts, event: (counts['event'] ?? 0) + 1 } }
      : line;
  });
  const file = 'foreign.ndjson.gz';
  await writeFile(join(folder, file), gzipSync(more.map((line) => `${JSON.stringify(line)}\n`).join('')));
  return stage.admin.request('POST', `${path}${query}`, { body: { file } });
}

async function know(publicKey: string, validUntil: number): Promise<void> {
  await sql`
    INSERT INTO federation_server_keys (server_name, key_id, public_key, valid_until_ts)
    VALUES ('other.example', ${signer.key.keyId}, ${publicKey}, ${validUntil})
    ON CONFLICT (server_name, key_id) DO UPDATE SET public_key = EXCLUDED.public_key,
      valid_until_ts = EXCLUDED.valid_until_ts
  `.execute(stage.world.sql);
}

describe('events of other servers in an archive', () => {
  it('are taken over and counted while no key of their server is known', async () => {
    const answer = await importWith(foreignEvent());
    expect([answer.status, answer.body]).toMatchObject([200, { room_id: roomId, unverified: 1, damaged: 0 }]);
  });

  it('are counted as well when the key was not valid any more', async () => {
    await know(signer.key.publicKey, madeTs - 1);
    expect((await importWith(foreignEvent())).body).toMatchObject({ unverified: 1 });
  });

  it('are refused, with the line, when a known key says that they were forged', async () => {
    await know(generateSigningKey().publicKey, madeTs);
    const answer = await importWith(foreignEvent());
    expect(errorOf(answer)).toEqual([400, 'M_BAD_JSON']);
    expect(answer.body['error']).toMatch(
      /^Line \d+ of the export has an event that its server has not signed/,
    );
  });

  it('are refused when their server has not signed them at all', async () => {
    const { eventId, pdu } = foreignEvent();
    const { 'other.example': theirs, ...others } = pdu.signatures;
    const signatures = { ...others, 'else.example': theirs };
    expect(errorOf(await importWith({ eventId, pdu: { ...pdu, signatures } }))).toEqual([400, 'M_BAD_JSON']);
  });

  it('are checked by the key that is known, and the room is restored with them', async () => {
    await know(signer.key.publicKey, madeTs);
    const events = lines.filter(({ kind }) => kind === 'event').length + 1;
    expect(await numberOf(stage, roomId)).toBe(0);
    const answer = await importWith(foreignEvent(), '');
    expect([answer.status, answer.body]).toEqual([
      200,
      { room_id: roomId, events, damaged: 0, unverified: 0 },
    ]);
    expect((await importWith(foreignEvent())).body).toMatchObject({ errcode: 'M_ROOM_IN_USE' });
  });
});
