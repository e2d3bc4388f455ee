import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, types } from 'node:util';

import { auditMigrations, type Finding, type Verdict, verifyAuditLog } from '@seneschal/audit';
import { migrate, openDatabase } from '@seneschal/database';
import { createLogger } from '@seneschal/observability';
import { explainStart, readConfig } from '@seneschal/service';

interface Context {
  args: string[];
  env: Readonly<Record<string, string | undefined>>;
  configFile?: string | undefined;
  /** What prints; standard output and error when not given. */
  print?: (text: string) => void;
  complain?: (text: string) => void;
}

const help = `npm run audit:verify -- [--anchor POSITION:HASH] [--config FILE]

Reads the audit log from its beginning and tells of every row that is missing or not as it was written. Ends
with exit code 0 only when there is none. Works beside a running server or without one.

  --anchor POSITION:HASH  the last line of an earlier run, kept where nobody who can write to the database
                          can change it: finds a log that was made anew as a whole
  --config FILE           the configuration; else the one that npm start uses
`;

/** @returns the exit code */
export async function main(context: Context): Promise<number> {
  const print = context.print ?? ((text) => process.stdout.write(text));
  const complain = context.complain ?? ((text) => process.stderr.write(text));
  try {
    const { values } = parseArgs({
      args: context.args,
      options: {
        anchor: { type: 'string' },
        config: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      print(help);
      return 0;
    }
    const anchor = values.anchor === undefined ? undefined : readAnchor(values.anchor);
    const config = readConfig(values.config ?? context.configFile, context.env);
    const verdict = await verify(config.database_url, anchor);
    print(report(verdict));
    return verdict.findings.length === 0 ? 0 : 1;
  } catch (error) {
    complain(`${explain(error)}\n`);
    return 1;
  }
}

async function verify(url: string, anchor: Anchor | undefined): Promise<Verdict> {
  const logger = createLogger('error');
  const database = openDatabase({ url, maxConnections: 2, applicationName: 'seneschal audit', logger });
  try {
    await migrate(database, 'audit', auditMigrations);
    return await verifyAuditLog(database, { anchor });
  } finally {
    await database.stop();
  }
}

type Anchor = Verdict['head'];

function readAnchor(text: string): Anchor {
  const parts = /^(\d{1,15}):([\w-]{43})$/.exec(text);
  if (parts === null) throw new Error('--anchor is POSITION:HASH, the last line of an earlier run.');
  return { position: Number(parts[1]), hash: parts[2] ?? '' };
}

function report({ rows, findings, truncated, head }: Verdict): string {
  const lines = findings.map(describe);
  if (truncated) lines.push('There is more.');
  lines.push(
    findings.length === 0 ? `${rows} rows, all as they were written.` : `${rows} rows, not all as written.`,
    `${head.position}:${head.hash}`,
  );
  return `${lines.join('\n')}\n`;
}

function describe(finding: Finding): string {
  switch (finding.kind) {
    case 'missing':
      return finding.from === finding.to
        ? `Row ${finding.from} is missing.`
        : `Rows ${finding.from} to ${finding.to} are missing.`;
    case 'changed':
      return `Row ${finding.position}, or the one before it, has been changed.`;
    case 'columns':
      return `Row ${finding.position} is filed under something that it does not say.`;
    case 'anchor':
      return `Row ${finding.position} is not the one that the anchor was taken of.`;
  }
}

function explain(error: unknown): string {
  return explainStart(error) ?? (types.isNativeError(error) ? error.message : String(error));
}

function isRunDirectly(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isRunDirectly()) {
  process.exitCode = await main({ args: process.argv.slice(2), env: process.env });
}
