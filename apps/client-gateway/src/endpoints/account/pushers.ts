import { z } from 'zod';

import { userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam, type JsonObject, missingParam, ownString } from '@seneschal/matrix';

import type { AccountDeps } from './deps.ts';
import { empty, jsonObject, optional, text } from './schemas.ts';

export const pushers = (deps: { userapi: Pick<AccountDeps['userapi'], 'pushers'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/pushers'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The pushers of the user',
    answer: z.object({ pushers: z.array(jsonObject) }),
    handle: async ({ requester }) => ({ pushers: await deps.userapi.pushers(requester.userId) }),
  });

const body = z.object({
  pushkey: text(512),
  app_id: text(64),
  kind: text().nullable(),
  app_display_name: optional(text()),
  device_display_name: optional(text()),
  profile_tag: optional(text()),
  lang: optional(text()),
  data: optional(jsonObject),
  append: optional(z.boolean()),
});
type Body = z.infer<typeof body>;

export const setPusher = (deps: Pick<AccountDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/pushers/set'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Set or delete a pusher',
    body,
    answer: empty,
    handle: async ({ requester: { userId, deviceId }, body }) => {
      await deps.bus.call(userapi.setPusher, {
        userId,
        deviceId,
        appId: body.app_id,
        pushkey: body.pushkey,
        pusher: body.kind === null ? null : checkedPusher(body, body.kind),
        append: body.append ?? false,
      });
      return {};
    },
  });

function checkedPusher({ append: _, ...given }: Body, kind: string): JsonObject {
  const { app_display_name, device_display_name, lang, data, profile_tag } = given;
  if (app_display_name === undefined || device_display_name === undefined) {
    throw missingParam('app_display_name and device_display_name are needed.');
  }
  if (lang === undefined || data === undefined) throw missingParam('lang and data are needed.');
  if (kind === 'http') checkPushUrl(ownString(data, 'url'));
  return {
    pushkey: given.pushkey,
    app_id: given.app_id,
    kind,
    app_display_name,
    device_display_name,
    lang,
    data,
    ...(profile_tag === undefined ? {} : { profile_tag }),
  };
}

/** Client-server API, `POST /pushers/set`: an HTTPS address with the path /_matrix/push/v1/notify. */
function checkPushUrl(address: string | undefined): void {
  if (address === undefined) throw missingParam('data.url is needed.');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:' || url.pathname !== '/_matrix/push/v1/notify') {
    throw invalidParam('data.url is an HTTPS address with the path /_matrix/push/v1/notify.');
  }
}
