/** What the rules see: the text of every file by its path from the root, with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

export interface Finding {
  /** The rule that is broken, in a few words. */
  readonly rule: string;
  /** `path` or `path:line`. */
  readonly at: string;
  readonly what: string;
}

export type Rule = (tree: Tree) => Finding[];

export interface Import {
  readonly from: string;
  readonly line: number;
}

const CODE = /\.(ts|mts|js|mjs)$/;
const TEST = /\.test\.ts$|^(?:libs|services)\/[^/]+\/test\//;

export function isCode(path: string): boolean {
  return CODE.test(path);
}

export function isTest(path: string): boolean {
  return TEST.test(path);
}

/** `libs/bus` or `services/locations` for a file inside; undefined for any other. */
export function projectOf(path: string): string | undefined {
  return /^(?:libs|services)\/[^/]+(?=\/)/.exec(path)?.[0];
}

/** What a file imports or exports from elsewhere, as written, static and dynamic. */
export function importsOf(text: string): Import[] {
  const statement =
    /^[ \t]*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|^[ \t]*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  return [...text.matchAll(statement)].map((match) => ({
    from: match[1] ?? match[2] ?? match[3] ?? '',
    line: lineAt(text, match.index + match[0].length),
  }));
}

/** A relative import as a path of the tree. */
export function resolved(importer: string, from: string): string {
  const parts = importer.split('/').slice(0, -1);
  for (const part of from.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Every match of `pattern` (global) in the text, with its line number and its whole line. */
export function matches(
  text: string,
  pattern: RegExp,
): { line: number; text: string; found: string }[] {
  return [...text.matchAll(pattern)].map((match) => {
    const line = lineAt(text, match.index);
    return { line, text: text.split('\n')[line - 1] ?? '', found: match[0] };
  });
}
