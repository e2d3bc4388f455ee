import { type PeerAnswer } from '@seneschal/testing';

import { mallory } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));

const pathTo = (field = ''): string => `/profile/${encodeURIComponent(mallory(peer))}${field}`;

function answering(answer: PeerAnswer): void {
  peer.answer('/_matrix/federation/v1/query/profile', () => answer);
}

async function asked(field = ''): Promise<unknown[]> {
  const { status, body } = await alice.request('GET', `/_matrix/client/v3${pathTo(field)}`);
  const { errcode } = body as { errcode?: string };
  return [status, errcode ?? body];
}

describe('the profile of a user of another server', () => {
  it('is what that server says, as far as it has the right form', async () => {
    answering({ body: { displayname: 'Mallory', avatar_url: 7, 'm.tz': 'Europe/Berlin' } });
    expect(await asked()).toEqual([200, { displayname: 'Mallory', 'm.tz': 'Europe/Berlin' }]);
    expect(await asked('/displayname')).toEqual([200, { displayname: 'Mallory' }]);
    expect(await asked('/avatar_url')).toEqual([404, 'M_NOT_FOUND']);
    expect(peer.requests.at(-1)?.uri).toBe(
      `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(mallory(peer))}`,
    );
  });

  it('is 404 when that server does not know it, and 502 when it cannot be asked or makes no sense', async () => {
    answering({ status: 404, body: { errcode: 'M_NOT_FOUND', error: 'none' } });
    expect(await asked()).toEqual([404, 'M_NOT_FOUND']);
    answering({ status: 500, body: 'no JSON' });
    expect(await asked()).toEqual([502, 'M_UNKNOWN']);
    answering({ body: '["no profile"]' });
    expect(await asked()).toEqual([502, 'M_UNKNOWN']);
    answering({ body: { displayname: 'x'.repeat(200_000) } });
    expect(await asked()).toEqual([502, 'M_UNKNOWN']);
  });

  it('is asked for by nobody who is not logged in', async () => {
    answering({ body: { displayname: 'Mallory' } });
    const before = peer.requests.length;
    const path = `/_matrix/client/v3${pathTo()}`;
    expect((await world.request('GET', path)).status).toBe(401);
    expect((await world.request('GET', path, { token: 'sen_made_up' })).status).toBe(401);
    expect(peer.requests.length).toBe(before);
  });
});
