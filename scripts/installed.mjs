// Brings node_modules to what package-lock.json says, once for all runs at the same time.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const state = join(root, '.roamwatt');
const node24 = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin/node');

export async function install() {
  if (!['linux'].includes(process.platform) || !['x64', 'arm64'].includes(process.arch)) {
    throw new Error(
      `Roamwatt runs on Linux on x64 or arm64; this is ${process.platform} on ${process.arch}.`,
    );
  }
  if (isInstalled()) return linkNode24();
  await alone('install', async () => {
    if (isInstalled()) return; // Another run has done it meanwhile.
    await npmCi();
    linkNode24();
    if (!isInstalled()) {
      throw new Error(
        'npm ci ended well, but node_modules does not match package-lock.json. ' +
          'Does the npm configuration omit optional packages? They bring Node 24 and PostgreSQL.',
      );
    }
  });
}

/**
 * Whether npm's own record of what it installed has every package of the lock file, in the same
 * version. Optional packages of other machines are absent; Node 24 is optional too, but needed.
 */
function isInstalled() {
  try {
    const packages = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
    const wanted = packages('package-lock.json');
    const present = packages('node_modules/.package-lock.json');
    return (
      existsSync(node24) &&
      Object.entries(wanted).every(
        ([path, entry]) =>
          path === '' ||
          (present[path] ? present[path].version === entry.version : entry.optional === true),
      )
    );
  } catch {
    return false;
  }
}

/** npm 10 drops this link together with the package for the other processor, which has it too. */
function linkNode24() {
  const link = join(root, 'node_modules/.bin/node');
  if (existsSync(link)) return;
  rmSync(link, { force: true });
  symlinkSync(relative(dirname(link), node24), link);
}

async function npmCi() {
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  console.error('Installing the dependencies (npm ci) …');
  const tick = setInterval(() => console.error(`  … ${seconds()}`), 15_000);
  // Errors only: the machine's Node may be older than the one that the packages will run on.
  const args = [
    'ci',
    '--loglevel=error',
    '--no-progress',
    '--no-fund',
    '--no-audit',
    '--include=optional',
    '--include=dev',
  ];
  try {
    await finish('npm', args, 'npm ci');
  } finally {
    clearInterval(tick);
  }
  console.error(`Installed in ${seconds()}.`);
}

/** Runs a command quietly to its end, in the checkout; throws with its output when it fails. */
export async function finish(command, args, name, env = {}) {
  const own = join(root, 'node_modules/.bin');
  // npm ci removes node_modules, also the Node in it: npm itself runs on the machine's.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => dir !== own)
    .join(delimiter);
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path, ...env },
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  const stop = (signal) => {
    child.kill(signal);
    process.exitCode = 130;
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    await new Promise((resolve, reject) => {
      child.on('error', (error) => reject(new Error(`${name}: ${error.message}`)));
      child.on('close', (status, signal) =>
        status === 0
          ? resolve()
          : reject(
              new Error(`${output.trim()}\n${name} failed (${signal ?? `exit status ${status}`}).`),
            ),
      );
    });
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Runs `work` while no other run of this checkout does work of the same name. */
export async function alone(name, work) {
  const lock = join(state, `${name}.lock`);
  mkdirSync(state, { recursive: true });
  for (let told = false; !take(lock);) {
    if (!told) console.error(`Waiting for another run (${name}) …`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const holder = readOr(lock, '');
  // Its holder died, and the number may be another program's by now.
  const isAlive = readOr(`/proc/${holder}/cmdline`, '').includes('run.mjs');
  if (holder !== '' && !isAlive) rmSync(lock, { force: true });
  return false;
}

function readOr(file, otherwise) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
