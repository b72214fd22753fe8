// The entry of every npm script, in plain Node 20 without dependencies: installs, builds, then runs
// the wanted thing on the Node 24 that the install brought.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { build } from './built.mjs';
import { install, root } from './installed.mjs';

const COMMANDS = {
  demo: { program: () => ['dist/scripts/demo.js'] },
  test: {
    help:
      'npm test [-- PATTERN …]\n' +
      'Runs all tests (or those whose path holds a pattern) on private PostgreSQL and NATS servers.\n' +
      'The last line is "N passed, N failed".',
    program: () => ['node_modules/vitest/vitest.mjs', 'run'],
  },
  start: { program: () => ['dist/scripts/start.js'] },
  charger: { program: () => ['dist/scripts/charger.js'] },
  serve: { program: () => ['dist/scripts/serve.js'] },
  'nats-users': { program: () => ['dist/scripts/nats-users.js'] },
  bench: { program: () => ['dist/scripts/bench.js'] },
  torture: { program: () => ['dist/scripts/torture.js'] },
  'proto:release': {
    help:
      'npm run proto:release\n' +
      'Makes proto/ as it is now the released language, with which npm test compares from now on.',
    program: () => [
      'node_modules/@bufbuild/buf/bin/buf',
      'build',
      'proto',
      '-o',
      'proto/released.binpb',
    ],
    needs: () => {},
  },
  tidy: {
    help:
      'npm run tidy [-- --declare]\n' +
      'Checks the rules of the style. --declare writes into each project.json what the project imports,\n' +
      'deploy/talks.json: with whom each service talks, and docs/ocpi-conformance.md: which test proves\n' +
      'which rule of OCPI.',
    needs: () => {},
    program: () => ['scripts/tidy.ts'],
  },
  build: { help: 'npm run build\nInstalls what is missing, then generates and compiles.' },
};

const [name = '', ...rest] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  console.error(`Unknown command "${name}". Known: ${Object.keys(COMMANDS).join(', ')}.`);
  process.exit(2);
}
if (rest.includes('--help') || rest.includes('-h')) {
  const own = join(root, 'scripts/help', `${name}.txt`);
  console.log(command.help ?? readFileSync(own, 'utf8').trimEnd());
  process.exit(0);
}

try {
  needsTemporaryFiles();
  await install();
  await (command.needs ?? build)();
} catch (error) {
  console.error(error.message);
  if (name === 'test') console.log('0 passed, 1 failed');
  process.exit(1);
}
if (command.program) process.exitCode = await onNode24([...command.program(), ...rest]);

function needsTemporaryFiles() {
  try {
    accessSync(tmpdir(), constants.W_OK | constants.X_OK);
  } catch {
    throw new Error(`${tmpdir()} is where temporary files go, and cannot be written: set TMPDIR to a folder that can.`);
  }
}

/** npm that is killed passes that on to its shell at most, which tells nobody: without it nobody stops the program. */
function stopWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  // Where there is no shell between, npm is our parent, and who started npm may go: it may run under nohup.
  const npm = /^[a-z]{0,3}sh$/.test(nameOf(shell)) ? parentOf(shell) : undefined;
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || parentOf(shell) === npm)) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, 1000);
  timer.unref();
}

/** As Linux calls the process; '' elsewhere. */
function nameOf(pid) {
  return /\((.*)\)/s.exec(statOf(pid))?.[1] ?? '';
}

function parentOf(pid) {
  return /\) \S (\d+)/.exec(statOf(pid))?.[1];
}

function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

/** Runs a program to its end; answers its exit status, as shells do when a signal ended it. */
async function onNode24([program, ...args]) {
  if (!existsSync(join(root, program))) {
    console.error(`${program} is not there: this checkout has no such program yet.`);
    return 1;
  }
  const bin = join(root, 'node_modules/.bin');
  const flags = ['--enable-source-maps', '--import', './scripts/with-parent.mjs'];
  const child = spawn(join(bin, 'node'), [...flags, program, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  // A terminal's Ctrl-C reaches the child by itself; a signal sent to us alone is passed on.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  stopWithNpm(child);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('exit', (status, signal) =>
      resolve(status ?? 128 + ({ SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0)),
    );
  });
}
