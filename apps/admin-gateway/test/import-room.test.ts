import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { search } from '@seneschal/contracts';

import { numberOf, purgePath, roomPath, rowsOfNumber, say, sync } from './rooms.ts';
import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/rooms/import';

let stage: Stage;
let folder: string;
beforeAll(async () => {
  stage = await Stage.open();
  folder = join(stage.world.homeserver.platform.config.data_dir, 'exports');
  await mkdir(folder, { recursive: true });
});
afterAll(() => stage.stop());

/** Purges a room with an export; answers the name of the file. */
async function purgeWithExport(roomId: string): Promise<string> {
  expect(await stage.ask('POST', `${purgePath(roomId)}?export=true`)).toEqual([200, {}]);
  const [, body] = await stage.ask('GET', `/_seneschal/v1/deletions?room_id=${encodeURIComponent(roomId)}`);
  return (body['deletions'] as { export: string }[])[0]?.export ?? '';
}

async function linesOf(file: string): Promise<Record<string, unknown>[]> {
  const text = gunzipSync(await readFile(join(folder, file))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function write(name: string, lines: readonly object[]): Promise<string> {
  await writeFile(join(folder, name), gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
  return name;
}

/** What a member sees of a room. */
async function viewOf(roomId: string): Promise<unknown> {
  const ask = (rest: string) => stage.user.call('GET', roomPath(roomId, rest));
  const messages = await ask('/messages?dir=b&limit=100');
  return {
    messages: (messages['chunk'] as object[]).map((event) => withoutAge(event)),
    state: ((await ask('/state')) as unknown as object[]).map((event) => withoutAge(event)),
    members: await ask('/joined_members'),
    aliases: await ask('/aliases'),
  };
}

function withoutAge(event: object): object {
  return JSON.parse(
    JSON.stringify(event, (key, value: unknown) =>
      key === 'age' || key === 'transaction_id' ? undefined : value,
    ),
  ) as object;
}

describe('rooms/import', () => {
  itRefusesOthers(
    () => stage,
    'POST',
    () => [path],
  );

  it('gives its members the same room back: messages, state, memberships, aliases and sync', async () => {
    const roomId = await stage.user.createRoom({
      preset: 'public_chat',
      room_alias_name: 'back',
      name: 'Back',
    });
    await stage.admin.join(roomId);
    const invited = await stage.world.register('invited');
    await stage.user.invite(roomId, invited.userId);
    await say(stage.user, roomId, 'one');
    const secret = await say(stage.admin, roomId, 'a secret');
    await stage.admin.call('PUT', roomPath(roomId, `/redact/${secret}/r1`), {});
    await stage.user.call('PUT', roomPath(roomId, '/state/m.room.topic'), { topic: 'Whales' });
    await stage.world.register('gone').then(async (gone) => {
      await gone.join(roomId);
      await gone.leave(roomId);
    });
    const before = await viewOf(roomId);
    const { next_batch: since } = await sync(stage.user);
    await stage.ask('POST', `${purgePath(roomId)}?export=true&evacuate=false`);
    const { next_batch: whileGone, rooms } = await sync(stage.user, since);
    expect(rooms.leave).toHaveProperty([roomId]);
    const [, body] = await stage.ask('GET', `/_seneschal/v1/deletions?room_id=${encodeURIComponent(roomId)}`);
    const file = (body['deletions'] as { export: string }[])[0]?.export;
    expect((await stat(join(folder, file ?? ''))).mode & 0o077).toBe(0);

    const [status, answer] = await stage.ask('POST', path, { file });
    expect([status, answer]).toEqual([
      200,
      { room_id: roomId, events: expect.any(Number) as number, damaged: 0, unverified: 0 },
    ]);
    expect(await viewOf(roomId)).toEqual(before);
    for (const token of [whileGone, since, undefined]) {
      const told = await sync(stage.user, token);
      expect(told.rooms.join).toHaveProperty([roomId]);
      expect(told.rooms.leave[roomId]).toBeUndefined();
    }
    expect((await sync(invited)).rooms.invite).toHaveProperty([roomId]);
    const found = await stage.user.call('GET', `/directory/room/${encodeURIComponent('#back:test.example')}`);
    expect(found['room_id']).toBe(roomId);
    await invited.join(roomId);
    await say(stage.user, roomId, 'we are back');
  });

  it('has what it restores found by search again', async () => {
    const roomId = await stage.user.createRoom();
    const sent = await say(stage.user, roomId, 'a restored astrolabe');
    const find = async (): Promise<unknown> => {
      await stage.world.settled();
      const body = { search_categories: { room_events: { search_term: 'astrolabe' } } };
      const answer = await stage.user.call('POST', '/search', body);
      return (
        answer as { search_categories: { room_events: { results: { result: { event_id: string } }[] } } }
      ).search_categories.room_events.results.map(({ result }) => result.event_id);
    };
    expect(await find()).toEqual([sent]);
    const file = await purgeWithExport(roomId);
    expect(await find()).toEqual([]);
    expect((await stage.ask('POST', path, { file }))[0]).toBe(200);
    await stage.world.settled();
    const { jobs } = stage.world.homeserver.platform;
    const { rows } = await jobs.reads.list({ kind: search.reindexRoom.name }, { limit: 1 });
    expect((await jobs.wait(rows[0]?.jobId ?? '', 10_000))?.state).toBe('completed');
    expect(await find()).toEqual([sent]);
  });

  it('G1: what was purged and restored is used in the same processes as if nothing had been', async () => {
    const roomId = await stage.user.createRoom({ preset: 'public_chat' });
    for (const round of ['first', 'second']) {
      await say(stage.user, roomId, round);
      const file = await purgeWithExport(roomId);
      expect((await stage.ask('POST', path, { file }))[0]).toBe(200);
      // The purge has made everybody leave: the room is as it was when it was deleted.
      await stage.user.join(roomId);
      await say(stage.user, roomId, `after the ${round}`);
    }
  });

  it('leaves out what was damaged, and says so', async () => {
    const roomId = await stage.room(stage.user, [stage.admin]);
    await stage.damage(roomId, stage.admin.userId);
    const file = await purgeWithExport(roomId);
    const [status, body] = await stage.ask('POST', path, { file });
    expect(status).toBe(200);
    expect(body['damaged']).toBeGreaterThan(0);
  });

  it('refuses a room that exists', async () => {
    const roomId = await stage.room(stage.user);
    const file = await purgeWithExport(roomId);
    expect((await stage.ask('POST', path, { file }))[0]).toBe(200);
    expect(errorOf(await stage.admin.request('POST', path, { body: { file } }))).toEqual([
      409,
      'M_ROOM_IN_USE',
    ]);
  });

  it.each(['../signing.key', '/etc/passwd', 'a/../b.ndjson.gz', 'x.ndjson.gz\0', '..ndjson.gz', ''])(
    'refuses %j, which is not the name of an export',
    async (file) => {
      expect((await stage.admin.request('POST', path, { body: { file } })).status).toBe(400);
    },
  );

  it('answers 404 for a name that nothing has', async () => {
    const answer = await stage.admin.request('POST', path, { body: { file: 'nothing.ndjson.gz' } });
    expect(errorOf(answer)).toEqual([404, 'M_NOT_FOUND']);
  });

  it('refuses an archive in which anything was changed, naming the line, and stores nothing of it', async () => {
    const roomId = await stage.room(stage.user);
    await say(stage.user, roomId, 'true words');
    const lines = await linesOf(await purgeWithExport(roomId));
    const at = lines.findIndex((line) => String(line['json']).includes('true words'));
    const event = lines[at] ?? {};
    const changed = (change: Record<string, unknown>): object[] => lines.with(at, { ...event, ...change });
    const json = String(event['json']);
    const forged: [string, object[]][] = [
      ['other-words', changed({ json: json.replace('true words', 'lies words') })],
      ['other-id', changed({ event_id: '$other' })],
      ['other-room', lines.with(0, { ...lines[0], room_id: '!other:test.example' })],
      [
        'no-signature',
        changed({ json: json.replace(/"ed25519:[^"]*":"[^"]{6}/, (found) => `${found.slice(0, -6)}AAAAAA`) }),
      ],
      ['unreadable', changed({ json: 'no JSON' })],
      ['cut', lines.slice(0, -1)],
      ['missing', lines.toSpliced(at, 1)],
      ['twice', lines.toSpliced(at, 0, event)],
      ['out-of-order', [...lines.slice(1), lines[0] ?? {}]],
      ['more', lines.with(at, { ...event, more: 1 })],
      ['long', changed({ json: 'x'.repeat(600_000) })],
    ];
    for (const [name, forgery] of forged) {
      const file = await write(`${name}.ndjson.gz`, forgery);
      const answer = await stage.admin.request('POST', path, { body: { file } });
      expect([name, ...errorOf(answer)]).toEqual([name, 400, 'M_BAD_JSON']);
      expect([name, await numberOf(stage, roomId)]).toEqual([name, 0]);
    }
    await writeFile(join(folder, 'rubbish.ndjson.gz'), 'no gzip');
    const answer = await stage.admin.request('POST', path, { body: { file: 'rubbish.ndjson.gz' } });
    expect(errorOf(answer)).toEqual([400, 'M_BAD_JSON']);
  });

  it('writes nothing outside of its folder, whatever the room is called', async () => {
    const before = new Set(await readdir(folder));
    const roomId = await stage.room(stage.user);
    const roomNid = await numberOf(stage, roomId);
    const file = await purgeWithExport(roomId);
    expect(file).toMatch(/^[A-Za-z0-9_-]+\.ndjson\.gz$/);
    expect((await readdir(folder)).filter((name) => !before.has(name))).toEqual([file]);
    expect(await rowsOfNumber(stage, roomNid)).toBe(0);
  });
});
