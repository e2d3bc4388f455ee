import { Buffer } from 'node:buffer';
import { badJson } from './errors.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Standard alphabet without padding (appendices, "Unpadded Base64"). */
export function encodeUnpaddedBase64(bytes: Uint8Array): string {
  const text = toBuffer(bytes).toString('base64');
  const end = text.indexOf('=');
  return end === -1 ? text : text.slice(0, end);
}

/** Standard alphabet, padding allowed; anything else is M_BAD_JSON. */
export function decodeUnpaddedBase64(text: string): Buffer {
  if (!BASE64.test(text) || text.replace(/=+$/, '').length % 4 === 1) throw badJson('Not valid Base64');
  return Buffer.from(text, 'base64');
}

/** URL-safe alphabet without padding, as in event IDs from room version 4. */
export function encodeUrlSafeBase64(bytes: Uint8Array): string {
  return toBuffer(bytes).toString('base64url');
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
