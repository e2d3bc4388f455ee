import { connect, createServer } from 'node:net';

/** A port on 127.0.0.1 that nobody listens on at this moment. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Sends bytes and collects what comes back until `isComplete` holds of it.
 * @param address what net.connect takes
 * @returns {Promise<Buffer | undefined>} undefined when there is no such answer within `patience` ms
 */
export function exchange(address, bytes, isComplete, patience = 2000) {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = connect(address);
    const finish = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(patience, () => finish(undefined));
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (isComplete(answer)) finish(answer);
    });
  });
}

/** Asks a PostgreSQL server whether it speaks TLS, which it answers before any authentication. */
export async function answersPostgres(address) {
  const question = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
  const answer = await exchange(address, question, (bytes) => bytes.length > 0);
  return answer !== undefined && /^[SN]/.test(answer.toString('latin1'));
}
