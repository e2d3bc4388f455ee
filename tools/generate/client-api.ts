import { adminEndpoints } from '@seneschal/admin-gateway';
import { clientEndpoints } from '@seneschal/client-gateway';
import type { Endpoint } from '@seneschal/http';

import { specification } from './client-api-specification.ts';

interface Row {
  method: string;
  path: string;
  /** Undefined for what is answered with M_UNRECOGNIZED. */
  endpoint: Endpoint | undefined;
}

/** The page docs/client-server-api.md: the endpoints of the specification beside those that are declared. */
export function clientApiPage(): string {
  const declared = declaredRows();
  const byShape = new Map(declared.map((row) => [shapeOf(row), row]));
  const sections = Object.entries(specification).map(([heading, lines]): [string, Row[]] => [
    heading,
    lines.map(readLine).map((row) => ({ ...row, endpoint: byShape.get(shapeOf(row))?.endpoint })),
  ]);
  const specified = sections.flatMap(([, rows]) => rows);
  const known = new Set(specified.map(shapeOf));
  const others = declared.filter((row) => !known.has(shapeOf(row)) && !row.path.includes('/r0/'));
  const count = specified.filter(({ endpoint }) => endpoint !== undefined).length;
  return [
    '# The client-server API',
    '',
    `Made from the declared routes by \`npm run generate\`. Of the ${specified.length} endpoints of Matrix v1.18 there are ${count}; all`,
    'others, and paths that nobody knows, answer 404 with `M_UNRECOGNIZED`, a known path with another method 405. What is under',
    '`/_matrix/client/v3` is under `/_matrix/client/r0` too.',
    '',
    ...sections.flatMap(([heading, rows]) => section(heading, rows)),
    ...section(
      'Beyond the list',
      others.filter((row) => !isUnstable(row)),
    ),
    ...section('Proposals', others.filter(isUnstable)),
  ].join('\n');
}

/** Of a proposal to the specification (MSC), where clients look for it until it is part of that. */
function isUnstable({ path }: Row): boolean {
  return path.startsWith('/_matrix/client/unstable/');
}

function section(heading: string, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  return [
    `## ${heading}`,
    '',
    '| method | path | |',
    '| --- | --- | --- |',
    ...rows.map(({ method, path, endpoint }) => {
      return `| ${method} | \`${path.replace('/_matrix/client', '')}\` | ${endpoint?.summary ?? '`M_UNRECOGNIZED`'} |`;
    }),
    '',
  ];
}

/** Endpoints are data: what they need is looked at by their handlers alone, and none runs here. */
function declaredRows(): Row[] {
  const endpoints = [
    ...clientEndpoints({} as Parameters<typeof clientEndpoints>[0]),
    ...adminEndpoints({ config: { registration_shared_secret: null } } as Parameters<
      typeof adminEndpoints
    >[0]),
  ];
  return endpoints.flatMap((endpoint) =>
    endpoint.paths
      .filter((path) => /^\/(_matrix\/client|\.well-known\/matrix)\//.test(path))
      .map((path) => ({ method: endpoint.method, path: path.replace(/:(\w+)/g, '{$1}'), endpoint })),
  );
}

function readLine(line: string): { method: string; path: string } {
  const [method = '', path = ''] = line.split(' ');
  return { method, path };
}

/** Parameters have names of their own on each side. */
function shapeOf({ method, path }: { method: string; path: string }): string {
  return `${method} ${path.replace(/\{\w+\}/g, '{}')}`;
}
