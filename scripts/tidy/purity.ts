import { type Finding, importsOf, isCode, isTest, matches, resolved, type Tree } from './tree.ts';

const DECIDER = /^export const \w+\s*:\s*Decider<|\bsatisfies Decider</m;
/** Libs that are pure as a whole. */
const PURE_FOLDERS = [
  'libs/money/src/', 'libs/pricing/src/', 'libs/decider/src/', 'libs/chain/src/', 'libs/taxes/src/',
  'libs/settlement/src/', 'libs/ocpi-versions/src/', 'libs/ocmf/src/',
];
const EFFECTS =
  /^(@nestjs\/|@nats-io\/|@mikro-orm\/|@opentelemetry\/|pg$|pg-|fastify|undici$|ws$|#(bus|postgres|event-store|telemetry|due|servers|settings)$)/;
const PURE_BUILTINS = new Set([
  'node:assert',
  'node:assert/strict',
  'node:crypto',
  'node:util',
  'node:buffer',
]);
const CHANCE =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\brandom(?:UUID|Bytes|Int)\b|\bperformance\.now\b|\bprocess\.(?:env|hrtime)\b/g;

/**
 * Decisions are pure: a file with a decider, all it imports from its own project, and the pure libs
 * reach no server, no file, no clock and no chance. Time, ids and randomness arrive in the command.
 */
export function pureDecisions(tree: Tree): Finding[] {
  return [...pureFiles(tree)].flatMap((path) => {
    const text = tree.get(path) ?? '';
    const reached = importsOf(text)
      .filter(
        ({ from }) => EFFECTS.test(from) || (from.startsWith('node:') && !PURE_BUILTINS.has(from)),
      )
      .map(({ from, line }) => ({
        rule: 'pure decisions',
        at: `${path}:${line}`,
        what: `imports ${from}`,
      }));
    const chance = matches(text, CHANCE).map(({ line, found }) => ({
      rule: 'pure decisions',
      at: `${path}:${line}`,
      what: `${found}: let it arrive in the command`,
    }));
    return [...reached, ...chance];
  });
}

function pureFiles(tree: Tree): Set<string> {
  const pure = new Set<string>();
  const add = (path: string): void => {
    const text = tree.get(path);
    if (text === undefined || pure.has(path)) return;
    pure.add(path);
    for (const { from } of importsOf(text)) if (from.startsWith('.')) add(resolved(path, from));
  };
  for (const [path, text] of tree) {
    if (!isCode(path) || isTest(path)) continue;
    if (DECIDER.test(text) || PURE_FOLDERS.some((folder) => path.startsWith(folder))) add(path);
  }
  return pure;
}
