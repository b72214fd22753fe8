import { type Finding, isCode, matches, type Tree } from './tree.ts';

const POSTPONED = new RegExp(
  `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK', 'X' + 'XX'].join('|')})\\b`,
  'g',
);
const LEFT_OUT = /\b(?:test|it|describe|suite)(?:\.\w+)*\.(only|skip|skipIf|runIf|todo|fails)\b/g;
const REASON = /\/\/.*\bbecause\s+\S/;

/** Registries and mirrors: the machine's own configuration names them, never this repository. */
const ADDRESS =
  /\b(?:registry\.(?:npmjs|yarnpkg)\.\w+|(?:deb|security|snapshot|ftp)\.debian\.org|archive\.ubuntu\.com|(?:proxy|sum)\.golang\.org|pypi\.org|[\w-]+\.pkg\.dev|repo1?\.maven[\w.]*|crates\.io)\b/g;
const MACHINE_PATH =
  /(?<![\w.~@$}*-])\/(?:work|root|home\/[a-z]\w*|tmp\/(?:go|brief|clone)\w*)(?![\w-])/g;
const NOT_OURS = new Set(['LICENSE']);

/** Nothing is left for later in the code: an issue says it better. */
export function nothingPostponed(tree: Tree): Finding[] {
  return found(tree, POSTPONED, 'nothing postponed', (word) => `${word}: do it or file an issue`);
}

export function nothingLeftOut(tree: Tree): Finding[] {
  return [...tree].flatMap(([path, text]) => {
    if (!isCode(path)) return [];
    const lines = text.split('\n');
    return matches(text, LEFT_OUT)
      .filter(
        ({ line }) => !REASON.test(lines[line - 1] ?? '') && !REASON.test(lines[line - 2] ?? ''),
      )
      .map(({ line, found: call }) => ({
        rule: 'no test left out',
        at: `${path}:${line}`,
        what: `${call} without a comment that says because of what`,
      }));
  });
}

export function noAddresses(tree: Tree): Finding[] {
  return [
    ...found(
      tree,
      ADDRESS,
      'no addresses',
      (host) => `${host}: the machine's configuration names it`,
    ),
    ...found(tree, MACHINE_PATH, 'no addresses', (path) => `${path}: a path of one machine`),
  ];
}

function found(
  tree: Tree,
  pattern: RegExp,
  rule: string,
  what: (match: string) => string,
): Finding[] {
  return [...tree].flatMap(([path, text]) =>
    NOT_OURS.has(path)
      ? []
      : matches(text, pattern).map((match) => ({
          rule,
          at: `${path}:${match.line}`,
          what: what(match.found),
        })),
  );
}
