import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { natsServerBinary, natsServerOn } from './nats-binary.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-path-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  ['v2.9.10', false],
  ['v2.11.9', false],
  ['v2.12.0', true],
  ['v2.15.1', true],
  ['v3.0.0-RC.1', true],
])('a machine with nats-server %s: used is %s', (version, used) => {
  const binary = installed('bin', `echo "nats-server: ${version}"`);
  expect(natsServerOn(join(dir, 'bin'))).toBe(used ? binary : undefined);
});

test('a nats-server that is too old or does not run is passed over', () => {
  installed('old', 'echo "nats-server: v2.10.1"');
  installed('broken', 'exit 127');
  const recent = installed('recent', 'echo "nats-server: v2.14.3"');
  const path = ['', 'nowhere', 'old', 'broken', 'recent']
    .map((name) => name && join(dir, name))
    .join(':');
  expect(natsServerOn(path)).toBe(recent);
});

test('some recent nats-server is found or fetched', async () => {
  const binary = await natsServerBinary();
  expect(natsServerOn(join(binary, '..'))).toBe(binary);
});

function installed(folder: string, script: string): string {
  const binary = join(dir, folder, 'nats-server');
  mkdirSync(join(dir, folder));
  writeFileSync(binary, `#!/bin/sh\n${script}\n`);
  chmodSync(binary, 0o755);
  return binary;
}
