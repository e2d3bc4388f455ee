import {
  canonicalJson,
  isServerName,
  type JsonValue,
  signBytes,
  type Signer,
  verifyBytes,
} from '@seneschal/matrix';

/** One request between servers, as its signature covers it. */
export interface SignedRequest {
  method: string;
  /** Path and query, percent-encoded as they are sent. */
  uri: string;
  origin: string;
  destination: string;
  content?: JsonValue;
}

/** What an `Authorization: X-Matrix …` header claims. */
export interface XMatrixClaim {
  origin: string;
  /** Absent from servers older than version 1.3 of the specification. */
  destination: string | undefined;
  keyId: string;
  signature: string;
}

const maximumHeaderLength = 4096;
const scheme = /^X-Matrix +/i;
/** A parameter of RFC 9110: a token or a quoted string, in which a backslash quotes the next character. */
const parameter = /\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y;

/** The header that authenticates a request of ours (server-server API, "Request Authentication"). */
export function signRequest(request: SignedRequest, { key }: Signer): string {
  const signature = signBytes(canonicalJson(covered(request)), key);
  const { origin, destination } = request;
  return `X-Matrix origin="${origin}",destination="${destination}",key="${key.keyId}",sig="${signature}"`;
}

/** Whether the claim's signature is of this request by this key; never throws. */
export function verifyRequest(request: SignedRequest, signature: string, publicKey: string): boolean {
  try {
    return verifyBytes(canonicalJson(covered(request)), signature, publicKey);
  } catch {
    return false;
  }
}

/** Reads an Authorization header; undefined when it is none of X-Matrix or not well-formed. */
export function parseXMatrix(header: string): XMatrixClaim | undefined {
  const match = scheme.exec(header);
  if (match === null || header.length > maximumHeaderLength) return undefined;
  const parameters = readParameters(header.slice(match[0].length));
  if (parameters === undefined) return undefined;
  const origin = parameters.get('origin') ?? '';
  const keyId = parameters.get('key') ?? '';
  const signature = parameters.get('sig') ?? '';
  if (!isServerName(origin) || !/^ed25519:\w+$/.test(keyId) || signature === '') return undefined;
  return { origin, destination: parameters.get('destination'), keyId, signature };
}

function covered({ content, ...request }: SignedRequest): object {
  return content === undefined ? request : { ...request, content };
}

/** Undefined when the text has anything but parameters, or one of them twice. */
function readParameters(text: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  parameter.lastIndex = 0;
  while (parameter.lastIndex < text.length) {
    const [, name = '', quoted, token] = parameter.exec(text) ?? [];
    if (name === '' || parameters.has(name)) return undefined;
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  return parameters;
}
