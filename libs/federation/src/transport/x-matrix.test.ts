import { generateSigningKey, type Signer } from '@seneschal/matrix';

import { parseXMatrix, type SignedRequest, signRequest, verifyRequest } from './x-matrix.ts';

const signer: Signer = { serverName: 'one.example', key: generateSigningKey() };
const request: SignedRequest = {
  method: 'PUT',
  uri: '/_matrix/federation/v1/send/1?a=%20',
  origin: 'one.example',
  destination: 'two.example',
  content: { pdus: [], n: 1 },
};

describe('request authentication', () => {
  it('is verified by what it was made of', () => {
    const claim = parseXMatrix(signRequest(request, signer));
    expect(claim).toMatchObject({
      origin: 'one.example',
      destination: 'two.example',
      keyId: signer.key.keyId,
    });
    expect(verifyRequest(request, claim!.signature, signer.key.publicKey)).toBe(true);
  });

  it.each([
    ['another method', { method: 'POST' }],
    ['another path', { uri: '/_matrix/federation/v1/send/2' }],
    ['another destination', { destination: 'three.example' }],
    ['another origin', { origin: 'three.example' }],
    ['another content', { content: { pdus: [], n: 2 } }],
  ])('does not hold for %s', (_, change) => {
    const { signature } = parseXMatrix(signRequest(request, signer))!;
    expect(verifyRequest({ ...request, ...change }, signature, signer.key.publicKey)).toBe(false);
    const { content: _content, ...bare } = request;
    expect(verifyRequest(bare, signature, signer.key.publicKey)).toBe(false);
  });

  it('is false, not an error, for a content that is no canonical JSON', () => {
    expect(verifyRequest({ ...request, content: 1.5 }, 'AAAA', signer.key.publicKey)).toBe(false);
  });

  it.each([
    'X-Matrix origin=one.example,key="ed25519:a",sig="s"',
    'x-matrix  origin="one.example", key="ed25519:a", sig="s"',
    String.raw`X-Matrix origin="one.ex\ample",key="ed25519:a",sig="s"`,
  ])('reads %s', (header) => {
    expect(parseXMatrix(header)).toEqual({
      origin: 'one.example',
      destination: undefined,
      keyId: 'ed25519:a',
      signature: 's',
    });
  });

  it.each([
    '',
    'Bearer token',
    'X-Matrix ',
    'X-Matrix origin="no server",key="ed25519:a",sig="s"',
    'X-Matrix origin="one.example",key="rsa:a",sig="s"',
    'X-Matrix origin="one.example",key="ed25519:a"',
    'X-Matrix origin="one.example",origin="two.example",key="ed25519:a",sig="s"',
    'X-Matrix origin="one.example";key="ed25519:a",sig="s"',
    `X-Matrix origin="one.example",key="ed25519:a",sig="${'s'.repeat(5000)}"`,
  ])('refuses %j', (header) => {
    expect(parseXMatrix(header)).toBeUndefined();
  });
});
