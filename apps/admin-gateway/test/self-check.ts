import type { Finding } from '../src/self-check/finding.ts';
import type { selfCheck } from '../src/self-check/self-check.ts';
import type { Stage } from './stage.ts';

export const path = '/_seneschal/v1/self-check';

export type Report = Awaited<ReturnType<typeof selfCheck>>;

export async function report(stage: Stage, headers: Record<string, string> = {}): Promise<Report> {
  const answer = await stage.admin.request('GET', path, { headers });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.body as unknown as Report;
}

export async function find(stage: Stage, id: string, headers?: Record<string, string>): Promise<Finding[]> {
  return (await report(stage, headers)).findings.filter((finding) => finding.id === id);
}
