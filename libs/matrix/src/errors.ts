import { isJsonObject, type JsonObject, type JsonValue } from './json-types.ts';

/**
 * The one error that reaches a client: an HTTP status, an errcode and a message (client-server API, "Standard
 * error response"). Everything else that is thrown is a fault of ours and is answered as M_UNKNOWN.
 */
export class MatrixError extends Error {
  readonly status: number;
  readonly errcode: string;
  readonly fields: Record<string, JsonValue>;

  constructor(status: number, errcode: string, message: string, fields: Record<string, JsonValue> = {}) {
    super(message);
    this.name = 'MatrixError';
    this.status = status;
    this.errcode = errcode;
    this.fields = fields;
  }

  /** The response body: errcode and error, with the extra fields (retry_after_ms, room_version …). */
  toBody(): JsonObject {
    return { ...this.fields, errcode: this.errcode, error: this.message };
  }

  /** Reads another server's or another process's error body; a body that is none becomes M_UNKNOWN. */
  static fromBody(status: number, body: unknown): MatrixError {
    if (!isJsonObject(body)) return new MatrixError(status, 'M_UNKNOWN', `HTTP status ${status}`);
    const { errcode, error, ...fields } = body;
    return new MatrixError(
      status,
      typeof errcode === 'string' ? errcode : 'M_UNKNOWN',
      typeof error === 'string' ? error : `HTTP status ${status}`,
      fields,
    );
  }
}

/** Also true for an error of another realm or another copy of this module (as in a test environment). */
export function isMatrixError(error: unknown): error is MatrixError {
  return (
    error instanceof MatrixError ||
    (error instanceof Error && error.name === 'MatrixError' && 'errcode' in error && 'status' in error)
  );
}

type Maker = (message?: string) => MatrixError;

function maker(status: number, errcode: string, fallback: string): Maker {
  return (message = fallback) => new MatrixError(status, errcode, message);
}

export const badJson = maker(400, 'M_BAD_JSON', 'The JSON is not what was expected');
export const notJson = maker(400, 'M_NOT_JSON', 'The content is not JSON');
export const missingParam = maker(400, 'M_MISSING_PARAM', 'A required parameter is missing');
export const invalidParam = maker(400, 'M_INVALID_PARAM', 'A parameter is not valid');
export const invalidUsername = maker(400, 'M_INVALID_USERNAME', 'The user name is not valid');
export const weakPassword = maker(400, 'M_WEAK_PASSWORD', 'The password is too weak');
export const userInUse = maker(400, 'M_USER_IN_USE', 'The user name is taken');
export const roomInUse = maker(400, 'M_ROOM_IN_USE', 'The room alias is taken');
export const forbidden = maker(403, 'M_FORBIDDEN', 'Forbidden');
/** The invited user wants no invites (client-server API v1.18, "Invite permission"). */
export const inviteBlocked = maker(403, 'M_INVITE_BLOCKED', 'The user does not want to be invited to rooms');
export const guestAccessForbidden = maker(403, 'M_GUEST_ACCESS_FORBIDDEN', 'Guests are not allowed');
export const userDeactivated = maker(403, 'M_USER_DEACTIVATED', 'The account is deactivated');
/** The account is suspended: it may read, and tidy up. */
export const userSuspended = maker(
  403,
  'M_USER_SUSPENDED',
  'You cannot do this while your account is suspended.',
);
export const notFound = maker(404, 'M_NOT_FOUND', 'Not found');
export const missingToken = maker(401, 'M_MISSING_TOKEN', 'No access token was given');
export const tooLarge = maker(413, 'M_TOO_LARGE', 'Too large');
export const unsupportedRoomVersion = maker(
  400,
  'M_UNSUPPORTED_ROOM_VERSION',
  'This server does not support the room version',
);

/** The token is not known (any more); `softLogout` tells the client to keep its data and log in again. */
export function unknownToken(message = 'The access token is not known', softLogout = false): MatrixError {
  return new MatrixError(401, 'M_UNKNOWN_TOKEN', message, softLogout ? { soft_logout: true } : {});
}

/** The account is locked; clients keep what they have, and wait. */
export function userLocked(message = 'This account has been locked.'): MatrixError {
  return new MatrixError(401, 'M_USER_LOCKED', message, { soft_logout: true });
}

/** No such endpoint (404), or the endpoint does not know the HTTP method (405). */
export function unrecognized(status: 404 | 405 = 404, message = 'Unrecognised request'): MatrixError {
  return new MatrixError(status, 'M_UNRECOGNIZED', message);
}

/** Rate limited; the client may try again after so many milliseconds. */
export function limitExceeded(retryAfterMs: number, message = 'Too many requests'): MatrixError {
  return new MatrixError(429, 'M_LIMIT_EXCEEDED', message, {
    retry_after_ms: Math.max(0, Math.ceil(retryAfterMs)),
  });
}

/** The asking server does not support the room's version (server-server API, make_join and invite). */
export function incompatibleRoomVersion(roomVersion: string): MatrixError {
  const message = `The room has version ${roomVersion}, which was not among the versions supported by the asker`;
  return new MatrixError(400, 'M_INCOMPATIBLE_ROOM_VERSION', message, { room_version: roomVersion });
}

export function unknown(status = 500, message = 'Internal server error'): MatrixError {
  return new MatrixError(status, 'M_UNKNOWN', message);
}
