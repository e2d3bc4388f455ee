import { createHmac } from 'node:crypto';

/**
 * The value of `Seneschal-Signature`: `v1=` and the HMAC-SHA256, in hexadecimal, of the timestamp as it stands in
 * `Seneschal-Timestamp` (seconds since 1970), a full stop, and the body byte by byte.
 */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
