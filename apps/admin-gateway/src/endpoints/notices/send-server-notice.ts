import { z } from 'zod';

import { endpoint, type Endpoint } from '@seneschal/http';
import { badJson, forbidden, invalidParam, isCompliantUserId, serverNameOf } from '@seneschal/matrix';
import { sendNotice, type SendNoticeDeps } from '@seneschal/userapi';

import { noticeBody, readNotice } from './shapes.ts';

const path = '/_synapse/admin/v1/send_server_notice';
const body = z.object({ user_id: z.string().optional(), ...noticeBody });
const answer = z.object({ event_id: z.string() });

export const sendServerNotice = (deps: SendNoticeDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Sends a server notice to one user',
    body,
    bodyOptional: true,
    brokenBody: 'M_BAD_JSON',
    answer,
    handle: async ({ body: asked }) => {
      const { eventId } = await sendNotice(deps, {
        userId: readUser(deps, asked.user_id),
        ...readNotice(asked),
      });
      return { event_id: eventId };
    },
  });

const transactionId = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !text.includes('\0'), 'has a NUL character');

/** The same transaction of the same administrator is one notice, with whichever token and after any restart. */
export const putServerNotice = (deps: SendNoticeDeps): Endpoint =>
  endpoint({
    method: 'PUT',
    path: `${path}/:transactionId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Sends a server notice to one user, once for each transaction',
    params: z.object({ transactionId }),
    body,
    bodyOptional: true,
    brokenBody: 'M_BAD_JSON',
    answer,
    handle: async ({ params, body: asked, requester }) => {
      const transaction = { deviceId: requester.userId, transactionId: params.transactionId };
      const notice = { userId: readUser(deps, asked.user_id), ...readNotice(asked), transaction };
      const { eventId } = await sendNotice(deps, notice);
      return { event_id: eventId };
    },
  });

function readUser(deps: Pick<SendNoticeDeps, 'config'>, userId: string | undefined): string {
  if (userId === undefined || userId === '') throw badJson('user_id: is missing.');
  if (!isCompliantUserId(userId))
    throw invalidParam('user_id: is not a user ID, such as @alice:example.org.');
  if (serverNameOf(userId) !== deps.config.server_name) {
    throw forbidden('Server notices go to users of this server only.');
  }
  return userId;
}
