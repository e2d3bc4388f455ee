import { sqlState } from '@seneschal/database';

import { type Asked, type Check, type Finding, severities } from './finding.ts';

export interface Report {
  /** The worst of the findings; `ok` when there is none. */
  status: 'ok' | Finding['severity'];
  /** What was looked at. */
  checks: string[];
  /** The worst first. */
  findings: Finding[];
}

const longestCheckMs = 15_000;

/** Runs all checks at the same time. One that fails or takes too long is a finding, and does not stop the others. */
export async function selfCheck(checks: readonly Check[], asked: Asked): Promise<Report> {
  const found = await Promise.all(checks.map((check) => inTime(check, asked)));
  const rank = ({ severity }: Finding): number => severities.indexOf(severity);
  const findings = found.flat().sort((a, b) => rank(b) - rank(a));
  return { status: findings[0]?.severity ?? 'ok', checks: checks.map(({ name }) => name), findings };
}

async function inTime(check: Check, asked: Asked): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => resolve([failed(check, 'it took too long')]), longestCheckMs);
  });
  const run = (async () => check.run(asked))().catch((error: unknown) => [failed(check, reasonOf(error))]);
  return Promise.race([run, timeout]).finally(() => clearTimeout(timer));
}

function failed({ name }: Check, reason: string): Finding {
  return {
    id: 'check_failed',
    severity: 'warning',
    subject: name,
    meaning: `The check ${name} could not be made: ${reason}. What it looks for may be there.`,
    remedy: 'See whether PostgreSQL and Redis answer (GET /_seneschal/v1/health), and ask again.',
  };
}

/** Never the message of an error of a driver, which may quote an address with a password. */
function reasonOf(error: unknown): string {
  const state = sqlState(error);
  return state === undefined ? 'an error' : `the error ${state}`;
}
