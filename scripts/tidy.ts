import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conformancePage, PAGE, provenRules } from './tidy/conformance.ts';
import { knownDependencies } from './tidy/dependencies.ts';
import {
  closedProjects,
  declaredDependencies,
  explicitExports,
  hiddenGenerated,
  noCycles,
  wantedDependencies,
} from './tidy/imports.ts';
import { LINES_WARNED, linesOf, sayingNames, shallowFolders, shortFiles } from './tidy/names.ts';
import { pureDecisions } from './tidy/purity.ts';
import { declaredTalks, TALKS, talksText } from './tidy/talks.ts';
import { noAddresses, nothingLeftOut, nothingPostponed } from './tidy/text.ts';
import { type Finding, isCode, type Rule, type Tree } from './tidy/tree.ts';

/** The rules of the style that a program can check; each has a failing fixture in tidy.test.ts. */
export const RULES: readonly Rule[] = [
  sayingNames,
  shallowFolders,
  shortFiles,
  explicitExports,
  closedProjects,
  declaredDependencies,
  declaredTalks,
  noCycles,
  hiddenGenerated,
  pureDecisions,
  nothingPostponed,
  nothingLeftOut,
  noAddresses,
  knownDependencies,
  provenRules,
];

export function tidy(tree: Tree): Finding[] {
  return RULES.flatMap((rule) => rule(tree));
}

/** Files that may stay but grow long. */
export function growing(tree: Tree): string[] {
  return [...tree]
    .filter(([path, text]) => isCode(path) && linesOf(text) > LINES_WARNED)
    .map(([path, text]) => `${path}: ${linesOf(text)} lines`);
}

/** The files of the repository, tracked or about to be, without binaries and what git ignores. */
export function readTree(root: string): Tree {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    },
  );
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
  return new Map(
    paths
      .map((path) => [path, readFileSync(join(root, path), 'utf8')] as const)
      .filter(([, text]) => !text.includes('\0')),
  );
}

export function told(finding: Finding): string {
  return `${finding.at}  ${finding.rule}: ${finding.what}`;
}

/** The last line, whatever was warned of before. */
export function verdict(findings: number, files: number): string {
  const against = findings === 0 ? 'nothing is' : findings === 1 ? 'one thing is' : `${findings} things are`;
  return `${files} files: ${against} against the rules${findings === 0 ? ' (what grows long may stay)' : ''}.`;
}

/** Writes into every project.json what the project imports, with whom services talk, and the page of which test proves which rule. */
function declare(root: string): void {
  writeFileSync(join(root, PAGE), conformancePage(readTree(root)));
  writeFileSync(join(root, TALKS), talksText(readTree(root)));
  for (const [project, wanted] of wantedDependencies(readTree(root))) {
    const file = join(root, project, 'project.json');
    const { targets, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
    if (
      JSON.stringify([...(manifest.implicitDependencies ?? [])].sort()) === JSON.stringify(wanted)
    )
      continue;
    writeFileSync(
      file,
      `${JSON.stringify({ ...manifest, implicitDependencies: wanted, targets }, null, 2)}\n`,
    );
  }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  if (process.argv.includes('--declare')) declare(root);
  const tree = readTree(root);
  for (const warning of growing(tree)) console.log(`grows long: ${warning}`);
  const findings = tidy(tree);
  for (const finding of findings) console.log(told(finding));
  console.log(verdict(findings.length, tree.size));
  process.exitCode = findings.length > 0 ? 1 : 0;
}
