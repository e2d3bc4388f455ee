import type { Request } from 'express';

/** Where a request comes from. An IPv4 address in IPv6 form is shown as IPv4. */
export function addressOf(request: Request): string {
  return (request.ip ?? '').replace(/^::ffff:/, '');
}
