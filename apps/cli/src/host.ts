import type { Readable, Writable } from 'node:stream';

import type { OpenApiDocument } from '@seneschal/http';

/** Standard input: a terminal can be told not to show what is typed. */
export type Input = Readable & { isTTY?: boolean; setRawMode?: (mode: boolean) => unknown };

export type Output = Writable & { isTTY?: boolean; columns?: number };

/** What the program has of the process that it runs in. */
export interface Host {
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  /** The name of this machine. */
  machine: string;
  stdin: Input;
  stdout: Output;
  stderr: Output;
  /** The admin API, of which the subcommands are made. */
  api: OpenApiDocument;
  /** Calls `handle` at Ctrl-C, until the function that it answers is called. */
  onInterrupt(handle: () => void): () => void;
}
