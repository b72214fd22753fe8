import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Folder, PROGRAM } from './command.ts';
import { cdr } from './examples.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const MANY = 12_000;
// Some 3 kB each: more than 36 MB, in a heap that holds 40 MB of everything.
const text = JSON.stringify({ ...cdr, remark: 'x'.repeat(2_500) });
const many = Array.from({ length: MANY }, () => text);

test.each([
  ['JSON Lines', 'cdrs.jsonl', many.join('\n')],
  ['a list on one line', 'cdrs.json', `[${many.join(',')}]`],
  ['an envelope', 'page.json', `{"status_code":1000,"data":[${many.join(',')}],"timestamp":""}`],
])('%s of any length is read in little memory', { timeout: 240_000 }, async (_what, name, all) => {
  folder.write(name, all);
  const { status, out, err } = await folder.program(['price', name, '--json'], '', [
    '--max-old-space-size=40',
  ]);
  expect([status, err.replaceAll(/^.* done.*\n/gm, '')]).toEqual([0, '']);
  expect(out.trim().split('\n')).toHaveLength(MANY);
});

test('when the reader goes away, the command ends quietly', { timeout: 120_000 }, async () => {
  folder.write('cdrs.jsonl', many.join('\n'));
  const args = [PROGRAM, 'price', 'cdrs.jsonl', '--json'];
  const child = spawn(process.execPath, args, {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let err = '';
  child.stderr.on('data', (data) => (err += String(data)));
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.stdout.destroy();
  expect([await ended, err]).toEqual([0, '']);
});

test.each(['price', 'lint'])('when the reader of %s goes away, it ends where all is refused, too', { timeout: 120_000 }, async (verb) => {
  folder.write('cdrs.jsonl', 'oops}\n'.repeat(300_000));
  const child = spawn(process.execPath, [PROGRAM, verb, 'cdrs.jsonl', '--json'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.stdout.destroy();
  expect(await ended).toBe(0);
});

test('who reads slowly what is refused holds the work back: it does not pile up in memory', { timeout: 240_000 }, async () => {
  folder.write('cdrs.jsonl', 'oops}\n'.repeat(300_000));
  const child = spawn(process.execPath, ['--max-old-space-size=50', PROGRAM, 'lint', 'cdrs.jsonl'], {
    cwd: folder.path, stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let last = '';
  for await (const chunk of child.stderr) {
    last = (last + String(chunk)).slice(-1_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await ended).toBe(1);
  expect(last).toContain('300,000 refused');
});
