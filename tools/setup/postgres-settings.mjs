import { join } from 'node:path';

/** The longest path of a Unix socket that Linux takes, in bytes. */
const longestSocketPath = 107;

/** The folder for PostgreSQL's socket, or undefined when the socket's path would be too long. */
export function socketFolder(place) {
  const folder = join(place, 'run');
  return Buffer.byteLength(join(folder, '.s.PGSQL.5432')) <= longestSocketPath ? folder : undefined;
}

/**
 * The arguments of the server: a Unix socket alone, or 127.0.0.1 with `port`; sized for a small machine.
 * An orphan is taken over only when it was started with exactly these.
 * @param durable false gives up what a commit promises, for tests
 */
export function serverArguments({ cluster, sockets, port, durable }) {
  const settings = {
    ...(sockets === undefined
      ? { listen_addresses: '127.0.0.1', port, unix_socket_directories: '' }
      : { listen_addresses: '', port: 5432, unix_socket_directories: sockets }),
    max_connections: durable ? 100 : 200,
    shared_buffers: '128MB',
    work_mem: '8MB',
    huge_pages: 'off',
    // Three helper processes for reads that a small database in memory seldom makes.
    io_method: 'sync',
    jit: 'off',
    max_parallel_workers_per_gather: 0,
    autovacuum_max_workers: 2,
    random_page_cost: 1.1,
    max_wal_size: '1GB',
    checkpoint_timeout: '15min',
    // The server reports failed statements itself; here they would only fill the disk.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...(durable
      ? { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
      : {
          fsync: 'off',
          synchronous_commit: 'off',
          full_page_writes: 'off',
          wal_level: 'minimal',
          max_wal_senders: 0,
        }),
  };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** The address for clients. Parses as a URL too, so that a test can put another database in. */
export function databaseUrl({ password, sockets, port, database = 'seneschal' }) {
  return sockets === undefined
    ? `postgresql://seneschal:${password}@127.0.0.1:${port}/${database}`
    : `postgresql://seneschal:${password}@localhost/${database}?host=${encodeURIComponent(sockets)}`;
}

/**
 * Reads postmaster.pid, where PostgreSQL notes its process, address and state.
 * @returns undefined when it is not there or not complete
 */
export function parsePostmasterPid(text) {
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), status: lines[7] ?? '' };
}
