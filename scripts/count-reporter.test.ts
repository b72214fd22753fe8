import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const USE = "import { beforeAll, describe, test } from 'vitest';\n";
const PASSES = "test('passes', () => {});\n";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-count-'));
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  ['tests that pass', PASSES, 0, '1 passed, 0 failed'],
  [
    'a test that fails',
    `${PASSES}test('fails', () => { throw new Error(); });`,
    1,
    '1 passed, 1 failed',
  ],
  [
    'a test left out',
    `${PASSES}${'test'}['skip']('later', () => {});`,
    0,
    '1 passed, 0 failed',
    /^1 skipped$/,
  ],
  ['a file that cannot be loaded', "import './nowhere.ts';", 1, '0 passed, 1 failed'],
  [
    'a hook that fails',
    `${PASSES}describe('x', () => { beforeAll(() => { throw new Error(); }); });`,
    1,
    '1 passed, 1 failed',
  ],
  [
    'an error outside of any test',
    `${PASSES}setTimeout(() => { throw new Error(); }); await new Promise((r) => setTimeout(r, 50));`,
    1,
    '1 passed, 1 failed',
  ],
])('the last line counts %s', (_, text, status, line, before = /^/) => {
  writeFileSync(join(dir, 'fixture.test.ts'), USE + text);
  expect(run()).toEqual({ status, line, before: expect.stringMatching(before) as string });
});

test('a run without any test fails', () => {
  expect(run()).toMatchObject({ status: 1, line: '0 passed, 1 failed' });
});

function run() {
  const reporter = join(import.meta.dirname, 'count-reporter.ts');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--root', dir, '--reporter=default', `--reporter=${reporter}`];
  const { VITEST: _, ...env } = process.env;
  const result = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8', env });
  const [before, line] = result.stdout.trimEnd().split('\n').slice(-2);
  return { status: result.status, line, before };
}
