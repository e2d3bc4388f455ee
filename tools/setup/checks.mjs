import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { readJson, root } from './files.mjs';

const nxEnvironment = {
  NX_DAEMON: 'false',
  NX_ISOLATE_PLUGINS: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
};
/** What the boundary rule prints, beside an exit code of 0, when it has no graph to judge by. */
const ruleSkipped = /No cached ProjectGraph|rule will be skipped/;

/** Are all files formatted? Each check resolves to whether it held, having printed what did not. */
export function checkFormat(signal) {
  return check('format', 'prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.'], { signal });
}

/** ESLint over everything, with the project graph that the boundary rule needs. */
export async function checkLint(signal) {
  const env = nxEnvironment;
  if (!(await check('project graph', 'nx/dist/bin/nx.js', ['show', 'projects'], { signal, env })))
    return false;
  const words = ['--max-warnings=0', '.'];
  return check('lint', 'eslint/bin/eslint.js', words, { signal, env, refuses: ruleSkipped });
}

export function checkTypes(signal) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  return check('types', 'typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json'], { signal });
}

/**
 * Runs Jest over the folders, with its output to the terminal.
 * @param env what the tests find their services by
 * @returns {Promise<{passed: number, failed: number}>} a file that could not be run counts as one failure
 */
export async function runJest({ folders, env, signal, dataDir, args = [] }) {
  const report = join(dataDir, 'jest.json');
  rmSync(report, { force: true });
  const words = ['--config', 'jest.config.js', '--passWithNoTests', '--json', `--outputFile=${report}`];
  const patterns = folders.map((folder) => `${escape(join(root, folder))}/`);
  const own = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  const flags = `${process.env.NODE_OPTIONS ?? ''} ${own}`.trim();
  const { code } = await runNode('jest/bin/jest.js', [...words, ...args, ...patterns], {
    signal,
    env: { ...env, NODE_OPTIONS: flags },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return countOf(readJson(report), code);
}

/** What Jest's JSON report amounts to; at least one failure when Jest itself failed. */
export function countOf(report, code) {
  if (report === undefined) return { passed: 0, failed: 1 };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return { passed: report.numPassedTests, failed: code === 0 ? failed : Math.max(failed, 1) };
}

async function check(name, program, args, { refuses, ...options }) {
  const { code, output } = await runNode(program, args, options);
  const held = code === 0 && !(refuses?.test(output) ?? false);
  process.stdout.write(held ? `${name}: passed\n` : `${output.trimEnd()}\n${name}: failed\n`);
  return held;
}

function runNode(program, args, { signal, env = {}, stdio = ['ignore', 'pipe', 'pipe'] }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', program), ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio,
      signal,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', (error) => resolve({ code: -1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

function escape(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
