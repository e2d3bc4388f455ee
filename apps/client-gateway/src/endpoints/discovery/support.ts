import type { Config } from '@seneschal/config';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

type SupportConfig = Pick<Config, 'support_contacts' | 'support_page'>;

/** `GET /.well-known/matrix/support`: whom to ask, with at least a contact or a page. */
export const supportWellKnown = (deps: { config: SupportConfig }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/.well-known/matrix/support',
    access: 'public',
    rateLimit: 'none',
    summary: 'Whom to ask about the server of this domain',
    answer: z.object({
      contacts: z
        .array(
          z.object({
            role: z.string(),
            matrix_id: z.string().optional(),
            email_address: z.string().optional(),
          }),
        )
        .optional(),
      support_page: z.string().optional(),
    }),
    handle: async () => {
      const { support_contacts: contacts, support_page: page } = deps.config;
      if (contacts.length === 0 && page === null) throw notFound('Nothing is told of whom to ask.');
      return {
        ...(contacts.length === 0 ? {} : { contacts: [...contacts] }),
        ...(page === null ? {} : { support_page: page }),
      };
    },
  });
