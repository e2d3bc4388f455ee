import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { Notice } from '@seneschal/contracts';
import { badJson, canonicalJson, fitsIdentifier, isJsonObject, type JsonObject } from '@seneschal/matrix';

const identifier = z
  .string()
  .refine((text) => fitsIdentifier(text) && !text.includes('\0'), 'is longer than 255 bytes, or has a NUL');

/** What a notice says: all of it goes through as it came. */
export const noticeBody = {
  content: z.custom<JsonObject>(isJsonObject, 'is not a JSON object').optional(),
  type: identifier.nullish(),
  state_key: identifier.nullish(),
};

/** Throws M_BAD_JSON unless there is content, and in a message a type and a text. */
export function readNotice(body: {
  content?: JsonObject | undefined;
  type?: string | null | undefined;
  state_key?: string | null | undefined;
}): Notice {
  const { content, state_key: stateKey } = body;
  const type = body.type ?? 'm.room.message';
  if (content === undefined) throw badJson('content: is missing.');
  if (type === 'm.room.message') {
    for (const key of ['msgtype', 'body']) {
      const value = content[key];
      if (typeof value !== 'string' || value === '') throw badJson(`content.${key}: is missing or empty.`);
    }
  }
  return { type, content, ...(stateKey === undefined || stateKey === null ? {} : { stateKey }) };
}

export function digestOf(value: JsonObject): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url');
}
