import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serviceNames } from './platform.ts';

const scripts = import.meta.dirname;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-commands-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: dir, env: { PATH: process.env['PATH'] ?? '', ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, out, err }));
  });
}

/** As `npm run` does it. */
const command = (...args: string[]) => run([join(scripts, 'run.mjs'), ...args]);
/** The program behind a command, without installing and building. */
const program = (name: string, args: readonly string[], env = {}) =>
  run([join(scripts, '../dist/scripts', `${name}.js`), ...args], env);

test.each([
  ['start', ['--config', '--new', '--database', '--example', '--kind', '--name', '--split', '--json', 'HOST', 'OCPI_PUBLIC_URL']],
  ['demo', ['--split', '--trace', '--keep', '--rate', '--json']],
  ['bench', ['--seconds', '--json']],
  ['torture', ['--seed', '--minutes', '--json']],
  ['charger', ['--url', '--station', 'CHARGER_PASSWORD', 'plug-in']],
  ['serve', ['ROAMWATT_SECRET', 'all-in-one', ...serviceNames]],
])('npm run %s -- --help tells of all its options', async (name, options) => {
  for (const flag of ['--help', '-h']) {
    const { status, out } = await command(name, flag);
    expect(options.filter((option) => !out.includes(option))).toEqual([]);
    expect(status).toBe(0);
  }
});

test.each([
  ['start', ['nonsense'], "Unexpected argument 'nonsense'"],
  ['start', ['--nonsense'], "Unknown option '--nonsense'"],
  ['demo', ['--nonsense'], "Unknown option '--nonsense'"],
  ['serve', [], 'Which service?'],
  ['serve', ['sesions'], 'There is no service "sesions".'],
])('npm run %s with %j is refused with the help, not with a stack', async (name, args, said) => {
  const { status, err } = await program(name, args);
  expect(err).toContain(said);
  expect(err).toContain(readFileSync(join(scripts, 'help', `${name}.txt`), 'utf8'));
  expect(err).not.toMatch(/^ +at /m);
  expect(status).toBe(2);
});

test('the first start makes an example, says what to change, and starts nothing', async () => {
  const config = join(dir, 'roamwatt.yaml');
  const { status, err } = await program('start', ['--config', config, '--new']);
  expect(err).toMatch(/party .*locations .*start again/s);
  expect(existsSync(config)).toBe(true);
  expect(status).toBe(0);
});

test('a platform with a name of its own has settings of its own, and is told how to start it again', async () => {
  const { status, err } = await program('start', ['--name', 'second', '--kind', 'hub']);
  expect(readFileSync(join(dir, 'roamwatt-second.yaml'), 'utf8')).toContain('roles: [HUB]');
  expect(err).toMatch(/hub .*start again: npm start -- --name second\. .*npm start -- --name second --example/s);
  expect(status).toBe(0);
});

test('what is told to start again names the file that was made', async () => {
  const { err } = await program('start', ['--config', 'mine.yaml', '--new']);
  expect(err).toContain('start again: npm start -- --config mine.yaml.');
});

test('a file of settings that is mistyped is not made, but named; --kind and --example say that it shall be', async () => {
  const { status, err } = await program('start', ['--config', 'mnie.yaml']);
  expect(err).toMatch(/^--config mnie\.yaml: there is no file .*mnie\.yaml; with --new an annotated example is made there\n$/);
  expect([status, readdirSync(dir)]).toEqual([2, []]);
  expect((await program('start', ['--config', 'hub.yaml', '--kind', 'hub'])).status).toBe(0);
  expect(readFileSync(join(dir, 'hub.yaml'), 'utf8')).toContain('roles: [HUB]');
});

test('npm start -- --database takes nothing that is for a platform', async () => {
  const { status, err } = await program('start', ['--name', 'nowhere', '--database', '--kind', 'hub']);
  expect(err).toContain('--database: the database alone is started, and --kind is for a platform: leave one of them out');
  expect(status).toBe(2);
});

test('a database of yours is not started: it is where DATABASE_URL says', async () => {
  const { status, err } = await program('start', ['--database'], { DATABASE_URL: 'postgres://127.0.0.1:1/x' });
  expect(err).toContain('--database: is for the private database of a platform; with DATABASE_URL it is yours');
  expect([status, readdirSync(dir)]).toEqual([2, []]);
});

test.each([
  [['--name', '../second'], '--name ../second: is a word of up to 31 small letters and digits'],
  [['--name', 'bin'], '--name bin: is a word'],
  [['--kind', 'museum'], '--kind museum: is site, housing or hub'],
])('npm start -- %s is refused, and makes no file', async (args, said) => {
  const { status, err } = await program('start', args);
  expect(err).toContain(said);
  expect(readdirSync(dir)).toEqual([]);
  expect(status).toBe(2);
});

test('a kind that there is not is refused also where settings are there already, and nothing is made', async () => {
  const config = join(dir, 'roamwatt.yaml');
  writeFileSync(config, 'party: nobody');
  const { status, err } = await program('start', ['--config', config, '--kind', 'museum']);
  expect([status, err]).toEqual([2, '--kind museum: is site, housing or hub\n']);
});

test.each([
  ['bench', ['price', '--seconds', 'many'], '--seconds many: is a number above 0'],
  ['bench', ['price', '--cdrs', '0'], '--cdrs 0: is a number above 0'],
  ['charger', ['--url', 'ws://127.0.0.1:1', '--station', 'A', '--seed', 'x'], '--seed: must be a whole number'],
  ['charger', ['--url', 'ws://127.0.0.1:1', '--station', 'A', '--call-timeout-ms', '1 s'], '--call-timeout-ms: must be a whole number'],
  ['charger', ['--url', 'ws://127.0.0.1:1', '--model', '', '--station', 'A'], '--model:  is neither level2 nor dcfc'],
  ['charger', ['--url', 'ws://127.0.0.1:1', '--stations', 'nowhere.json'], '--stations nowhere.json: '],
])('npm run %s with %j is refused', async (name, args, said) => {
  const { status, err } = await program(name, args);
  expect(err).toContain(said);
  expect(err).not.toMatch(/^ +at /m);
  expect(status).toBe(2);
});

test('a start with settings that point nowhere ends before any server runs', async () => {
  const config = join(dir, 'roamwatt.yaml');
  await program('start', ['--config', config, '--new']);
  writeFileSync(config, readFileSync(config, 'utf8').replace('[LEVEL-2]', '[LEVEL2]'));
  const { status, err } = await program('start', ['--config', config]);
  expect(err).toBe(
    `${config}: locations.0 (SITE-1).evses.0 (1).connectors.0 (1).tariff_ids.0: there is no tariff "LEVEL2"; did you mean "LEVEL-2"? (ids that you publish at the portal are listed in operator_tariffs)\n`,
  );
  expect(status).toBe(2);
});

test('a port that is none is named before any server runs', async () => {
  const { status, err } = await program('start', ['--config', join(dir, 'roamwatt.yaml'), '--example'], { OCPP_PORT: 'hello' });
  expect(err).toBe('environment variable OCPP_PORT: a port from 0 (any free one) to 65535, not "hello"\n');
  expect(status).toBe(2);
});

test('where no temporary files can go, TMPDIR is named', async () => {
  const { status, err } = await run([join(scripts, 'run.mjs'), 'demo'], { TMPDIR: join(dir, 'nowhere') });
  expect(err).toContain('set TMPDIR');
  expect(status).toBe(1);
});

/** Starts a shell as npm does, for a line of a script. */
const STAND_IN = `require('node:child_process').spawn('sh', ['-c', process.argv[1]], { stdio: 'inherit' })`;

test.each([
  ['its shell', (line: string) => ['sh', ['-c', line]] as const],
  ['npm, and its shell goes on', (line: string) => [process.execPath, ['-e', STAND_IN, line]] as const],
])('what npm runs ends when it is killed: %s', { timeout: 300_000 }, async (_what, commandOf) => {
  const charger = 'charger --url ws://127.0.0.1:1/ocpp --station LONELY --stay';
  const [command, args] = commandOf(`"${process.execPath}" "${join(scripts, 'run.mjs')}" ${charger} & echo "pid $!"; wait`);
  const npm = spawn(command, args, {
    cwd: dir, env: { PATH: process.env['PATH'] ?? '', npm_lifecycle_event: 'charger' },
  });
  let out = '';
  npm.stdout.on('data', (chunk) => (out += chunk));
  // The pipe is closed when the last of those that hold it is gone.
  const closed = new Promise((resolve) => npm.once('close', resolve));
  try {
    await expect.poll(() => out, { timeout: 240_000 }).toContain('not-connected');
    npm.kill('SIGKILL');
    await closed;
  } finally {
    const [, pid] = /^pid (\d+)$/m.exec(out) ?? [];
    try {
      process.kill(Number(pid), 'SIGTERM');
    } catch {
      // It is gone, as it should be.
    }
  }
});
