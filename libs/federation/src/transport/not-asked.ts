import { isMatrixError, MatrixError } from '@seneschal/matrix';

import { Unreachable } from './https.ts';

/**
 * For `catch`: what a client is answered when another server could not be asked, or refused. Nothing of what that server
 * wrote gets in but its errcode.
 */
export function notAsked(serverName: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Unreachable) {
      throw new MatrixError(502, 'M_UNKNOWN', `${serverName} could not be asked: ${error.message}`);
    }
    if (!isMatrixError(error)) throw error;
    const said = `${error.status} ${error.errcode.slice(0, 64)}`;
    throw new MatrixError(502, 'M_UNKNOWN', `${serverName} answered ${said}.`);
  };
}
