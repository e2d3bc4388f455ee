import { createHmac } from 'node:crypto';

import type { HttpClient } from './client.ts';

export interface User {
  userId: string;
  token: string;
  password: string;
}

/** Makes an account through the shared-secret API, as `synapse_register_new_matrix_user` does. */
export async function registerUser(
  client: HttpClient,
  secret: string,
  username: string,
  admin = false,
): Promise<User> {
  const path = '/_synapse/admin/v1/register';
  const nonce = text((await client.expect('GET', path))['nonce']);
  const password = `a good password of ${username}`;
  const mac = createHmac('sha1', secret)
    .update([nonce, username, password, admin ? 'admin' : 'notadmin'].join('\0'))
    .digest('hex');
  const made = await client.expect('POST', path, {
    body: { nonce, username, password, admin, mac, displayname: username },
  });
  return { userId: text(made['user_id']), token: text(made['access_token']), password };
}

export async function createRoom(client: HttpClient, user: User, options: object = {}): Promise<string> {
  const made = await client.expect('POST', '/_matrix/client/v3/createRoom', {
    token: user.token,
    body: { preset: 'public_chat', ...options },
  });
  return text(made['room_id']);
}

export async function joinRoom(client: HttpClient, user: User, roomId: string): Promise<void> {
  await client.expect('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {
    token: user.token,
    body: {},
  });
}

export async function sendMessage(
  client: HttpClient,
  user: User,
  roomId: string,
  transactionId: string,
  body: string,
): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${transactionId}`;
  const sent = await client.expect('PUT', path, { token: user.token, body: { msgtype: 'm.text', body } });
  return text(sent['event_id']);
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`Expected a text, got ${JSON.stringify(value)}.`);
  return value;
}

export function texts(value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error(`Expected a list, got ${JSON.stringify(value)}.`);
  return value.map(text);
}

/** A value inside nested objects, or undefined. */
export function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}
