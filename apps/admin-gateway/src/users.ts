import { invalidParam, isCompliantUserId, makeUserId, notFound, serverNameOf } from '@seneschal/matrix';

/** The characters of a bare localpart; capitals are looked up, and found to have no account. */
const bareLocalpart = /^[a-z0-9._=/+-]+$/i;

/** Throws M_INVALID_PARAM unless it is a user ID of this server. */
export function requireLocalUserId(userId: string, serverName: string): void {
  if (!isCompliantUserId(userId)) throw invalidParam('This is not a user ID, such as @alice:example.org.');
  if (serverNameOf(userId) !== serverName) throw invalidParam(`This is not a user of ${serverName}.`);
}

/** As `requireLocalUserId`, but a user of another server is M_NOT_FOUND: nothing is known of them here. */
export function requireKnowableUserId(userId: string, serverName: string): void {
  if (!isCompliantUserId(userId)) throw invalidParam('This is not a user ID, such as @alice:example.org.');
  if (serverNameOf(userId) !== serverName) throw notFound(`This is not a user of ${serverName}.`);
}

/** A user ID of this server, given as such or as its localpart. Throws M_INVALID_PARAM. */
export function localUserIdOf(name: string, serverName: string): string {
  const userId = bareLocalpart.test(name) ? makeUserId(name, serverName) : name;
  requireLocalUserId(userId, serverName);
  return userId;
}

/** Throws M_INVALID_PARAM unless it is a user ID of another server. */
export function requireRemoteUserId(userId: string, serverName: string): void {
  if (!isCompliantUserId(userId)) throw invalidParam('This is not a user ID, such as @alice:example.org.');
  if (serverNameOf(userId) === serverName) {
    throw invalidParam('This is a user of this server, whose devices are always up to date here.');
  }
}
