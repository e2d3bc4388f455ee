import { endpointOf } from './observed.ts';

describe('the endpoint of a request', () => {
  it.each([
    ['/_matrix/federation/v1/send/abc', '/_matrix/federation/v1/send'],
    ['/_matrix/federation/v1/user/devices/%40a%3Ab', '/_matrix/federation/v1/user/devices'],
    ['/_matrix/federation/v1/query/directory?room_alias=%23a%3Ab', '/_matrix/federation/v1/query/directory'],
    ['/_matrix/federation/v2/send_join/%21r/%24e', '/_matrix/federation/v2/send_join'],
    ['/_matrix/key/v2/server', '/_matrix/key/v2/server'],
    ['/elsewhere/%40a', 'other'],
  ])('of %s is %s, without what it is about', (uri, endpoint) => {
    expect(endpointOf(uri)).toBe(endpoint);
  });
});
