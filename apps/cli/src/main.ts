import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';

import type { OpenApiDocument } from '@seneschal/http';

import { run } from './cli.ts';
import { exitCodes } from './exit-codes.ts';

// A pipe whose reader has gone, such as `| head`, ends the output, and is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Written beside this program by the build. */
const file = new URL('admin-api.json', import.meta.url);

const code = await run({
  args: process.argv.slice(2),
  env: process.env,
  home: homedir(),
  machine: hostname(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  api: JSON.parse(readFileSync(file, 'utf8')) as OpenApiDocument,
  onInterrupt: (handle) => {
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
    return () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    };
  },
});

// Nothing is waited for once it was interrupted.
if (code === exitCodes.interrupted) process.exit(code);
process.exitCode = code;
