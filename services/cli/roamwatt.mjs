#!/usr/bin/env node
// The `roamwatt` command, in plain Node 20 without dependencies. In a checkout it first installs and
// builds what is missing; an installed package brings its build along. It then runs the program on
// the Node 24 at hand, else on the one that runs this.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(realpathSync(fileURLToPath(import.meta.url))), '../..');
const program = join(root, 'dist/services/cli/src/main.js');

if (process.argv[2] === '--version') {
  console.log(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  process.exit(0);
}

try {
  if (existsSync(join(root, 'tsconfig.json'))) {
    const { install } = await import('../../scripts/installed.mjs');
    const { build } = await import('../../scripts/built.mjs');
    await install();
    await build();
  }
  const node = node24();
  if (node === undefined) await import(pathToFileURL(program));
  else await onNode(node);
} catch (error) {
  console.error(`roamwatt: ${error.message}`);
  process.exitCode = 1;
}

/** The Node 24 that npm installed with us, unless this is a Node as new. */
function node24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return undefined;
  try {
    const name = `node-${process.platform}-${process.arch}/package.json`;
    const found = createRequire(import.meta.url).resolve(name);
    const node = join(dirname(found), 'bin/node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

function onNode(node) {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches the child by itself; a signal sent to us alone is passed on.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      process.exitCode = status ?? 128 + ({ SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0);
      resolve();
    });
  });
}
