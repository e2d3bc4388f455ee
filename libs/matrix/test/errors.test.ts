import * as errors from '../src/errors.ts';

const { MatrixError } = errors;

describe('MatrixError', () => {
  it.each([
    [errors.badJson(), 400, 'M_BAD_JSON'],
    [errors.notJson(), 400, 'M_NOT_JSON'],
    [errors.missingParam(), 400, 'M_MISSING_PARAM'],
    [errors.invalidParam(), 400, 'M_INVALID_PARAM'],
    [errors.invalidUsername(), 400, 'M_INVALID_USERNAME'],
    [errors.weakPassword(), 400, 'M_WEAK_PASSWORD'],
    [errors.userInUse(), 400, 'M_USER_IN_USE'],
    [errors.roomInUse(), 400, 'M_ROOM_IN_USE'],
    [errors.forbidden(), 403, 'M_FORBIDDEN'],
    [errors.guestAccessForbidden(), 403, 'M_GUEST_ACCESS_FORBIDDEN'],
    [errors.userDeactivated(), 403, 'M_USER_DEACTIVATED'],
    [errors.notFound(), 404, 'M_NOT_FOUND'],
    [errors.missingToken(), 401, 'M_MISSING_TOKEN'],
    [errors.unknownToken(), 401, 'M_UNKNOWN_TOKEN'],
    [errors.tooLarge(), 413, 'M_TOO_LARGE'],
    [errors.unrecognized(), 404, 'M_UNRECOGNIZED'],
    [errors.unrecognized(405), 405, 'M_UNRECOGNIZED'],
    [errors.unsupportedRoomVersion(), 400, 'M_UNSUPPORTED_ROOM_VERSION'],
    [errors.incompatibleRoomVersion('9'), 400, 'M_INCOMPATIBLE_ROOM_VERSION'],
    [errors.limitExceeded(1), 429, 'M_LIMIT_EXCEEDED'],
    [errors.unknown(502, 'x'), 502, 'M_UNKNOWN'],
  ])('%s has status and errcode', (error, status, errcode) => {
    expect(error).toMatchObject({ status, errcode });
    expect(error.toBody()).toMatchObject({ errcode, error: error.message });
  });

  it('carries extra fields to the body and back', () => {
    const error = errors.limitExceeded(1200.5);
    expect(error.toBody()).toEqual({
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many requests',
      retry_after_ms: 1201,
    });
    expect(MatrixError.fromBody(429, error.toBody())).toEqual(error);
    expect(errors.unknownToken('gone', true).toBody()).toMatchObject({ soft_logout: true });
    expect(errors.incompatibleRoomVersion('3').toBody()).toMatchObject({ room_version: '3' });
  });

  it.each([null, 'text', [], {}, { errcode: 1, error: {} }])('makes M_UNKNOWN of the body %j', (body) => {
    expect(MatrixError.fromBody(500, body)).toMatchObject({
      errcode: 'M_UNKNOWN',
      message: 'HTTP status 500',
    });
  });

  it('is told from other errors', () => {
    expect(errors.isMatrixError(errors.forbidden())).toBe(true);
    expect(errors.isMatrixError(new Error('M_FORBIDDEN'))).toBe(false);
    expect(errors.isMatrixError({ name: 'MatrixError', errcode: '', status: 1 })).toBe(false);
  });
});
