import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SetupError } from './errors.mjs';
import { root } from './files.mjs';

/** Is `version` (as in 20.19.1) at least `minimum` (as in 20.19)? Missing parts count as 0. */
export function isAtLeast(version, minimum) {
  const parts = version.replace(/^v/, '').split('.').map(Number);
  for (const [index, wanted] of minimum.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** Stops on a Node that is older than package.json asks for. */
export function checkNode(version = process.versions.node) {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const minimum = engines.node.replace(/^>=\s*/, '');
  if (isAtLeast(version, minimum)) return;
  throw new SetupError(`Node ${minimum} or later is needed, and this is ${version}: install a newer Node.`);
}
