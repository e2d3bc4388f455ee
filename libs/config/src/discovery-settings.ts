import { isServerName, isUserId } from '@seneschal/matrix';
import { z } from 'zod';

import { isWebAddress, setting } from './setting.ts';

const webAddress = z
  .string()
  .refine(isWebAddress, 'is an address like https://matrix.example.org')
  .nullable();

/** A way to reach those who run the server, as `/.well-known/matrix/support` tells it. */
export interface SupportContact {
  role: string;
  matrix_id?: string;
  email_address?: string;
}

const emailAddress = /^[^\s@,]+@[^\s@,:]+$/;
const roleName = /^[a-z][a-z0-9._-]{0,254}$/;
const expected =
  'is a list of user IDs and mail addresses, each after its role if it has one, separated by commas';

/** `@alice:example.org, m.role.security security@example.org`. */
const supportContacts = z
  .union([z.string(), z.array(z.string())], expected)
  .transform((given) => (typeof given === 'string' ? given.split(',') : given))
  .transform((items) => items.map((item) => item.trim()).filter((item) => item !== ''))
  .transform((items, context): readonly SupportContact[] => {
    const contacts = items.map(contactOf).filter((one) => one !== undefined);
    if (contacts.length === items.length) return contacts;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });

function contactOf(text: string): SupportContact | undefined {
  const words = text.split(/\s+/);
  const address = words.pop() ?? '';
  const [role = 'm.role.admin', ...more] = words;
  if (more.length > 0 || !roleName.test(role)) return undefined;
  if (isUserId(address)) return { role, matrix_id: address };
  return emailAddress.test(address) ? { role, email_address: address } : undefined;
}

/** What is told under /.well-known/matrix, where this server answers for its domain. */
export const discoverySettings = {
  public_base_url: setting(
    'SENESCHAL_PUBLIC_BASE_URL',
    null,
    webAddress,
    'Where clients reach this server, such as https://matrix.example.org: what `/.well-known/matrix/client` and logins tell them. Nothing is told when not set.',
  ),
  delegated_server: setting(
    'SENESCHAL_DELEGATED_SERVER',
    null,
    z.string().refine(isServerName, 'is a domain name, with a port when it has one').nullable(),
    'Where other servers reach this one, such as matrix.example.org:443: what `/.well-known/matrix/server` tells them. Nothing is told when not set.',
  ),
  support_contacts: setting(
    'SENESCHAL_SUPPORT_CONTACTS',
    '',
    supportContacts,
    'Who runs this server, for `/.well-known/matrix/support`: user IDs and mail addresses, `m.role.admin` unless another role stands before one, as in `@alice:example.org, m.role.security security@example.org`.',
  ),
  support_page: setting(
    'SENESCHAL_SUPPORT_PAGE',
    null,
    webAddress,
    'A page that helps the users of this server, for `/.well-known/matrix/support`.',
  ),
} as const;
