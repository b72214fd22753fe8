import type { Finding, Tree } from './tree.ts';

const PERMISSIVE = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
  'Python-2.0',
  'CC-BY-4.0',
  'PostgreSQL',
  // Of fonts: to be shipped and embedded with anything, not sold alone.
  'OFL-1.1',
]);
/** Packages whose package.json names no licence; read by hand, see the list. */
const READ_BY_HAND = new Map([
  ['node_modules/precond', 'MIT'],
  ['node_modules/png-js', 'MIT'],
]);
const LIST = 'docs/dependencies.md';

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
}

/** Every direct dependency is listed with licence and reason; whatever we ship is permissive. */
export function knownDependencies(tree: Tree): Finding[] {
  const manifest = JSON.parse(tree.get('package.json') ?? '{}') as Record<
    string,
    Record<string, string>
  >;
  const locked =
    (JSON.parse(tree.get('package-lock.json') ?? '{}') as { packages?: Record<string, Locked> })
      .packages ?? {};
  const direct = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.keys(manifest[kind] ?? {}),
  );
  const rows = listed(tree.get(LIST) ?? '');
  const finding = (at: string, what: string): Finding => ({ rule: 'known dependencies', at, what });

  const unlisted = direct.flatMap((name) => {
    const row = rows.get(name);
    const license = locked[`node_modules/${name}`]?.license;
    if (row === undefined) return [finding(LIST, `${name} is not in the list`)];
    if (license !== row.license)
      return [
        finding(LIST, `${name} is ${license ?? 'not locked'}, and the list says ${row.license}`),
      ];
    return row.reason === '' ? [finding(LIST, `${name} has no reason`)] : [];
  });
  const stale = [...rows.keys()]
    .filter((name) => !direct.includes(name))
    .map((name) => finding(LIST, `${name} is in the list but not in package.json`));
  const strict = Object.entries(locked)
    .filter(
      ([path, { license, dev }]) =>
        path.startsWith('node_modules/') &&
        !dev &&
        !isPermissive(license ?? READ_BY_HAND.get(path) ?? ''),
    )
    .map(([path, { license }]) =>
      finding('package-lock.json', `${path} has the licence "${license ?? 'none'}"`),
    );
  const addressed = Object.entries(locked)
    .filter(([, { resolved }]) => resolved?.startsWith('http'))
    .map(([path]) => finding('package-lock.json', `${path} names the address it came from`));
  return [...unlisted, ...stale, ...strict, ...addressed];
}

/** SPDX as far as packages use it: of alternatives with OR one is enough; AND wants both. */
function isPermissive(license: string): boolean {
  const bare = license.replace(/^\((.*)\)$/, '$1');
  if (bare.includes(' OR ')) return bare.split(' OR ').some(isPermissive);
  return bare.split(' AND ').every((one) => PERMISSIVE.has(one));
}

/** Rows of the form `| name | licence | reason |`. */
function listed(text: string): Map<string, { license: string; reason: string }> {
  const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]*) \|$/gm)];
  return new Map(
    rows.map(([, name = '', license = '', reason = '']) => [
      name,
      { license: license.trim(), reason: reason.trim() },
    ]),
  );
}
