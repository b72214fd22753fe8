import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a Debian archive is, as the machine's own apt sources say. */
export interface AptBase {
  readonly uri: string;
  /** Key file that signs it; absent = apt's own trusted keys. */
  readonly signedBy?: string;
}

/**
 * The Debian archives of the machine's apt sources under `etc` (both formats): those that carry the
 * machine's own release with the component main. Empty when the machine is not Debian.
 */
export function aptBases(etc: string): AptBase[] {
  const release = read(join(etc, 'os-release'));
  if (!/^ID="?debian"?$/m.test(release)) return [];
  const suites = [
    /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1],
    'stable',
    'testing',
    'sid',
    'unstable',
  ];
  const parts = join(etc, 'apt/sources.list.d');
  const files = existsSync(parts)
    ? readdirSync(parts)
        .sort()
        .map((name) => join(parts, name))
    : [];
  const entries = [
    ...[join(etc, 'apt/sources.list'), ...files]
      .filter((name) => name.endsWith('.list'))
      .flatMap((name) => oneLine(read(name))),
    ...files.filter((name) => name.endsWith('.sources')).flatMap((name) => stanzas(read(name))),
  ];
  const bases = entries.filter(
    (entry) =>
      entry.components.includes('main') && entry.suites.some((suite) => suites.includes(suite)),
  );
  return bases.map(({ uri, signedBy }) => ({ uri, ...(signedBy ? { signedBy } : {}) }));
}

interface Entry {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

function oneLine(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of text.split('\n')) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    if (!match) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    entries.push({
      uri,
      suites: [suite],
      components: components.split(/\s+/),
      signedBy: /signed-by=(\/\S+)/i.exec(options)?.[1],
    });
  }
  return entries;
}

function stanzas(text: string): Entry[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';
    if (!field('Types').split(/\s+/).includes('deb') || /^no$/i.test(field('Enabled'))) return [];
    const signedBy = field('Signed-By');
    return field('URIs')
      .split(/\s+/)
      .filter(Boolean)
      .map((uri) => ({
        uri,
        suites: field('Suites').split(/\s+/),
        components: field('Components').split(/\s+/),
        // A key that is written in the stanza itself is left to apt's own keys.
        signedBy: signedBy.startsWith('/') ? signedBy : undefined,
      }));
  });
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
