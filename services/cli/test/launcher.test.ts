import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Folder } from './command.ts';
import { cdr, total } from './examples.ts';

const launcher = join(import.meta.dirname, '../roamwatt.mjs');
let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const run = (program: string, args: readonly string[]) =>
  new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { cwd: folder.path },
      (_error, out, err) => resolve({ status: child.exitCode, out, err }),
    );
  });

test(
  'npx roamwatt in a checkout builds what has changed, and reads files where it is called',
  { timeout: 300_000 },
  async () => {
    folder.write('cdr.json', cdr);
    const { status, out } = await run(launcher, ['price', 'cdr.json', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ source: 'cdr.json:1', total_cost: total });
  },
);

test('npx roamwatt --version says which it is, and builds nothing for it', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as { version: string };
  expect(await run(launcher, ['--version'])).toMatchObject({ status: 0, out: `${version}\n` });
});

/** The package as npm installs it, with another program in it. */
function installed(program: string): string {
  const root = join(folder.path, 'node_modules/roamwatt');
  mkdirSync(join(root, 'services/cli'), { recursive: true });
  mkdirSync(join(root, 'dist/services/cli/src'), { recursive: true });
  cpSync(launcher, join(root, 'services/cli/roamwatt.mjs'));
  writeFileSync(join(root, 'package.json'), '{"type": "module"}');
  writeFileSync(join(root, 'dist/services/cli/src/main.js'), program);
  return join(root, 'services/cli/roamwatt.mjs');
}

test('an installed package is not built; arguments and the exit status pass through', async () => {
  const program = installed('console.log(process.argv.slice(2)); process.exitCode = 2;');
  const { status, out, err } = await run(program, ['price', '--json', 'a b']);
  expect([status, err]).toEqual([2, '']);
  expect(out).toBe("[ 'price', '--json', 'a b' ]\n");
});

test('a signal ends the program, and npx with it', async () => {
  const program = installed('setInterval(() => {}, 1000); console.log("on");');
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<unknown>((resolve) =>
    child.on('close', (status, signal) => resolve(signal ?? status)),
  );
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.kill('SIGTERM');
  expect(['SIGTERM', 143]).toContain(await ended);
});
