import { type Finding, isCode, type Tree } from './tree.ts';

const EMPTY_NAMES = new Set(['common', 'utils', 'shared', 'helpers', 'core', 'types', 'dtos']);
const FOLDERS_BELOW_SRC = 2;
const LINES_MAX = 400;
export const LINES_WARNED = 300;
const EXCUSE = /^\/\/ tidy: long because \S/m;

/** A folder is named for the business thing, a file for what is inside. */
export function sayingNames(tree: Tree): Finding[] {
  return [...tree.keys()].flatMap((path) => {
    const empty = path.split('/').find((part) => EMPTY_NAMES.has(part.split('.')[0] ?? ''));
    return empty
      ? [
          {
            rule: 'names that say something',
            at: path,
            what: `"${empty}" says nothing of what is inside`,
          },
        ]
      : [];
  });
}

export function shallowFolders(tree: Tree): Finding[] {
  return [...tree.keys()].flatMap((path) => {
    const below = /^(?:libs|services)\/[^/]+\/src\/(.+)$/.exec(path)?.[1];
    const depth = below === undefined ? 0 : below.split('/').length - 1;
    return depth > FOLDERS_BELOW_SRC
      ? [
          {
            rule: 'shallow folders',
            at: path,
            what: `${depth} folders below src; at most ${FOLDERS_BELOW_SRC}`,
          },
        ]
      : [];
  });
}

export function shortFiles(tree: Tree): Finding[] {
  return [...tree].flatMap(([path, text]) => {
    const lines = linesOf(text);
    if (!isCode(path) || lines <= LINES_MAX || EXCUSE.test(text.split('\n').slice(0, 5).join('\n')))
      return [];
    const what = `${lines} lines; at most ${LINES_MAX}, unless its first lines say "// tidy: long because …"`;
    return [{ rule: 'short files', at: path, what }];
  });
}

export function linesOf(text: string): number {
  return text.trimEnd().split('\n').length;
}
