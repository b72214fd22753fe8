import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { aptBases, type AptBase } from './apt-bases.ts';
import { stateRoot } from './places.ts';

const run = promisify(execFile);
const OLDEST = { major: 2, minor: 12 };
const GO_MODULE = 'github.com/nats-io/nats-server/v2@v2.12.2';

let found: Promise<string> | undefined;

/**
 * Path of a nats-server ≥ 2.12 (older ones have no atomic batch publish): the one on PATH, else a
 * private one in `.roamwatt/bin`, which is fetched once: Debian's newer package, else built by Go.
 * Throws with what to install when nothing works.
 */
export function natsServerBinary(
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<string> {
  found ??= find(say);
  found.catch(() => {
    found = undefined;
  });
  return found;
}

async function find(say: (line: string) => void): Promise<string> {
  const machines = natsServerOn(process.env['PATH'] ?? '');
  if (machines !== undefined) return machines;
  const own = join(stateRoot(), 'bin/nats-server');
  if (existsSync(own) && isRecent(own)) return own;

  const failures: string[] = [];
  for (const [name, fetchTo] of [
    ['Debian package', fromDebian],
    ['go install', fromGo],
  ] as const) {
    const draft = mkdtempSync(join(tmpdir(), 'roamwatt-nats-'));
    try {
      say(`Fetching nats-server (${name}) …`);
      return keep(await fetchTo(draft), own);
    } catch (error) {
      failures.push(
        `${name}: ${error instanceof Error ? error.message.trim().split('\n').slice(0, 4).join(' | ') : error}`,
      );
    } finally {
      execFileSync('chmod', ['-R', 'u+w', draft]); // Go's module cache is read-only.
      rmSync(draft, { recursive: true, force: true });
    }
  }
  throw new Error(
    `No nats-server ${OLDEST.major}.${OLDEST.minor} or newer. Put one on PATH, install Go, or set NATS_URL.\n${failures.join('\n')}`,
  );
}

/** The first recent nats-server in the folders of `path`. */
export function natsServerOn(path: string): string | undefined {
  const candidates = path
    .split(delimiter)
    .filter((dir) => dir !== '')
    .map((dir) => join(dir, 'nats-server'));
  return candidates.find((candidate) => existsSync(candidate) && isRecent(candidate));
}

/** Whether the binary runs here and is recent enough. */
function isRecent(binary: string): boolean {
  try {
    const text = execFileSync(binary, ['--version'], { encoding: 'utf8' });
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)\./.exec(text) ?? []).map(Number);
    return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
  } catch {
    return false;
  }
}

/** Moves the binary to its place in one step, since two runs may fetch at once. */
function keep(binary: string, own: string): string {
  if (!isRecent(binary)) throw new Error(`${binary} is too old or does not run here`);
  mkdirSync(join(own, '..'), { recursive: true });
  const beside = `${own}-${process.pid}`;
  copyFileSync(binary, beside);
  renameSync(beside, own);
  return own;
}

/** Downloads the package of Debian's development suite, with apt state of its own; unpacks it. */
async function fromDebian(draft: string): Promise<string> {
  const bases = aptBases('/etc');
  if (bases.length === 0)
    throw new Error('not a Debian machine, or its apt sources name no Debian archive');
  let failure: unknown;
  for (const base of bases) {
    try {
      return await debianPackage(draft, base);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function debianPackage(draft: string, base: AptBase): Promise<string> {
  for (const dir of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(draft, dir), { recursive: true });
  const sources = join(draft, 'sources.list');
  const signed = base.signedBy ? `[signed-by=${base.signedBy}] ` : '';
  writeFileSync(sources, `deb ${signed}${base.uri} sid main\n`);
  writeFileSync(join(draft, 'status'), '');
  const options = {
    'Dir::State': draft,
    'Dir::State::lists': join(draft, 'lists'),
    'Dir::State::status': join(draft, 'status'),
    'Dir::Cache': join(draft, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': join(draft, 'parts'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...flags, '-q', 'update'], { cwd: draft });
  await run('apt-get', [...flags, '-q', 'download', 'nats-server'], { cwd: draft });
  const deb = readdirSync(draft).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Error('apt downloaded nothing');
  await run('dpkg-deb', ['-x', join(draft, deb), join(draft, 'unpacked')]);
  const binary = ['usr/bin', 'usr/sbin']
    .map((dir) => join(draft, 'unpacked', dir, 'nats-server'))
    .find(existsSync);
  if (binary === undefined) throw new Error(`${deb} holds no nats-server`);
  return binary;
}

async function fromGo(draft: string): Promise<string> {
  const go = ['go', '/usr/local/go/bin/go'].find(answers);
  if (go === undefined) throw new Error('there is no go on PATH');
  await run(go, ['install', GO_MODULE], {
    env: { ...process.env, GOBIN: draft, CGO_ENABLED: '0', GOFLAGS: '-trimpath' },
    maxBuffer: 16 << 20,
  });
  return join(draft, 'nats-server');
}

function answers(go: string): boolean {
  try {
    execFileSync(go, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
