/** How bad a finding is, from what is worth knowing to what should be mended today. */
export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** Something about the server that is not as it should be, in words for the operator. */
export interface Finding {
  /** Names the kind of finding; it never changes. */
  id: string;
  severity: Severity;
  /** What it is about, where there may be several: an index, a consumer, a kind of job. */
  subject?: string;
  meaning: string;
  remedy: string;
}

/** How the self-check was asked for: that tells of the way from the outside to here. */
export interface Asked {
  /** The address of the client. */
  ip: string;
  header: (name: string) => string | undefined;
}

/** Looks at one thing. Rejects when it cannot be looked at. */
export interface Check {
  readonly name: string;
  run(asked: Asked): Promise<Finding[]> | Finding[];
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
