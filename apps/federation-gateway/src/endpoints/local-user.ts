import { badJson, isUserId, notFound, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

export const userId = z.string().refine(isUserId, 'is not a user ID');

/** Throws M_NOT_FOUND for a user of another server: those are asked for there. */
export function requireLocal(user: string, serverName: string): void {
  if (serverNameOf(user) !== serverName) throw notFound(`This is not a user of ${serverName}.`);
}

/** Throws M_BAD_JSON unless all are users of this server. */
export function requireAllLocal(users: readonly string[], serverName: string): void {
  const other = users.find((user) => serverNameOf(user) !== serverName);
  if (other !== undefined) throw badJson(`${other} is not a user of ${serverName}.`);
}
