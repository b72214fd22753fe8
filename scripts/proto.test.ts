import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const released = join(root, 'proto/released.binpb');

test('proto/ keeps the rules of its language', () => {
  expect(buf('lint', join(root, 'proto'))).toEqual(fine);
});

test('proto/ breaks nothing that is released', () => {
  // Before the first release there is nothing to break.
  if (existsSync(released))
    expect(buf('breaking', join(root, 'proto'), '--against', released)).toEqual(fine);
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-proto-'));
  cpSync(join(root, 'proto/buf.yaml'), join(dir, 'buf.yaml'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const GOOD = `syntax = "proto3";
package roamwatt.fixture.v1;
message CdrIssued {
  string cdr_id = 1;
  string total_cost = 2;
}
`;

test('a field in camel case does not pass the lint', () => {
  write(GOOD.replace('total_cost', 'totalCost'));
  expect(buf('lint', dir)).toMatchObject({
    status: 100,
    said: expect.stringContaining('lower_snake_case'),
  });
});

test.each([
  [
    'a field that is gone',
    GOOD.replace('  string total_cost = 2;\n', ''),
    'Previously present field "2"',
  ],
  [
    'a field of another type',
    GOOD.replace('string total_cost', 'double total_cost'),
    'changed type',
  ],
  [
    'a field with another number',
    GOOD.replace('total_cost = 2', 'total_cost = 3'),
    'Previously present field "2"',
  ],
])('%s breaks the released language', (_, changed, complaint) => {
  write(GOOD);
  const image = join(dir, 'released.binpb');
  expect(buf('build', dir, '-o', image)).toEqual(fine);
  expect(buf('breaking', dir, '--against', image)).toEqual(fine);
  write(changed);
  expect(buf('breaking', dir, '--against', image)).toMatchObject({
    status: 100,
    said: expect.stringContaining(complaint),
  });
});

test('a release is an image of proto/ as it is, the same bytes each time', () => {
  const [one, two] = ['one.binpb', 'two.binpb'].map((name) => {
    expect(buf('build', join(root, 'proto'), '-o', join(dir, name))).toEqual(fine);
    return readFileSync(join(dir, name));
  });
  expect(one?.length).toBeGreaterThan(1000);
  expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
});

const fine = { status: 0, said: '' };

function buf(...args: readonly string[]): { status: number | null; said: string } {
  const run = spawnSync(join(root, 'node_modules/.bin/buf'), args, { cwd: dir, encoding: 'utf8' });
  return { status: run.status, said: run.stdout + run.stderr };
}

function write(text: string): void {
  mkdirSync(join(dir, 'roamwatt/fixture/v1'), { recursive: true });
  writeFileSync(join(dir, 'roamwatt/fixture/v1/fixture.proto'), text);
}
