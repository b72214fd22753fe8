// Generates and compiles through Nx, but only when a source has changed since the last good build.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { alone, finish, root } from './installed.mjs';

const SOURCES = [
  'libs',
  'services',
  'scripts',
  'proto',
  'buf.gen.yaml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'nx.json',
  'project.json',
];
const GENERATED = 'libs/contracts/src/gen';

/** Compiled programs in dist/, as the sources are now. Throws with the compiler's words. */
export async function build() {
  const stamp = join(root, 'dist/.built-from');
  const isFresh = () =>
    existsSync(stamp) &&
    existsSync(join(root, GENERATED)) &&
    readFileSync(stamp, 'utf8') === digest();
  if (isFresh()) return;
  await alone('build', async () => {
    if (isFresh()) return;
    const startedAt = Date.now();
    const before = digest();
    console.error('Building …');
    rmSync(stamp, { force: true });
    await nx('roamwatt:build');
    mkdirSync(join(root, 'dist'), { recursive: true });
    writeFileSync(stamp, before);
    console.error(`Built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
  });
}

async function nx(target) {
  const bin = join(root, 'node_modules/.bin');
  await finish(
    join(bin, 'node'),
    [join(bin, 'nx'), 'run', target, '--outputStyle=stream'],
    `nx run ${target}`,
    {
      NX_DAEMON: 'false',
      NX_TUI: 'false',
      FORCE_COLOR: '0',
      PATH: `${bin}${delimiter}${process.env.PATH}`,
    },
  );
}

function digest() {
  const hash = createHash('sha256');
  for (const path of SOURCES) add(hash, path);
  return hash.digest('hex');
}

function add(hash, path) {
  if (path === GENERATED || !existsSync(join(root, path))) return;
  if (statSync(join(root, path)).isDirectory()) {
    for (const name of readdirSync(join(root, path)).sort()) add(hash, `${path}/${name}`);
    return;
  }
  hash.update(`${path}\0`).update(readFileSync(join(root, path)));
}
