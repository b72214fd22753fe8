import { type Rule as OcpiRule, ruleIds, rules } from '../../libs/ocpi-conformance/src/rules.ts';
import { titlesOf } from './titles.ts';
import { type Finding, isTest, type Tree } from './tree.ts';
import { notYet } from './unproven.ts';

export const PAGE = 'docs/ocpi-conformance.md';
const RULES_AT = 'libs/ocpi-conformance/src/rules.ts';
const UNPROVEN_AT = 'scripts/tidy/unproven.ts';
const NAME = 'proven rules of OCPI';
const ID = /\b(?:TRN|HUB|TYP|VER|CRE|LOC|SES|CDR|TAR|PRC|TOK|CMD|CHP|HCI)-\d\d\b/g;

interface Proof {
  readonly path: string;
  readonly title: string;
}

/** Every rule that must hold has a test that names it, or a reason why not yet; and the page says so. */
export function provenRules(tree: Tree): Finding[] {
  if (!tree.has(RULES_AT)) return [];
  const proofs = proofsOf(tree);
  const stale = tree.get(PAGE) === pageOf(proofs)
    ? []
    : [{ rule: NAME, at: PAGE, what: 'is not what the tests say: npm run tidy -- --declare writes it anew' }];
  return [...unknownIds(tree), ...unproven(proofs, notYet), ...stale];
}

/** The page of which test proves which rule. */
export function conformancePage(tree: Tree): string {
  return pageOf(proofsOf(tree));
}

/** Rules without a proof or a reason, and reasons that are no longer needed. */
export function unproven(proofs: ReadonlyMap<string, readonly Proof[]>, excused: Readonly<Record<string, string>>): Finding[] {
  const finding = (what: string): Finding => ({ rule: NAME, at: UNPROVEN_AT, what });
  return [
    ...rules.filter(({ id, strength }) => strength === 'M' && !proofs.has(id) && !Object.hasOwn(excused, id))
      .map(({ id, text }) => finding(`${id} (${text}) has no test whose title names it`)),
    ...Object.keys(excused).filter((id) => proofs.has(id)).map((id) => finding(`${id} is proven by now: take it off the list`)),
    ...Object.keys(excused).filter((id) => !ruleIds.has(id)).map((id) => finding(`${id} is no rule`)),
  ];
}

function unknownIds(tree: Tree): Finding[] {
  return testFiles(tree).flatMap(([path, text]) => titlesOf(text).flatMap(({ text: title, line }) =>
    (title.match(ID) ?? []).filter((id) => !ruleIds.has(id))
      .map((id) => ({ rule: NAME, at: `${path}:${line}`, what: `${id} is no rule of ${RULES_AT}` }))));
}

function proofsOf(tree: Tree): Map<string, Proof[]> {
  const proofs = new Map<string, Proof[]>();
  for (const [path, text] of testFiles(tree)) {
    for (const { text: title } of titlesOf(text)) {
      for (const id of new Set(title.match(ID) ?? [])) {
        proofs.set(id, [...proofs.get(id) ?? [], { path, title }]);
      }
    }
  }
  return proofs;
}

/** Tests and what they share. Those of the conformance kit prove what it finds, not what this platform does. */
function testFiles(tree: Tree): [string, string][] {
  return [...tree].filter(([path]) => isTest(path) && !path.startsWith('libs/ocpi-conformance/'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function pageOf(proofs: ReadonlyMap<string, readonly Proof[]>): string {
  const proven = (some: readonly OcpiRule[]) => some.filter(({ id }) => proofs.has(id)).length;
  const musts = rules.filter(({ strength }) => strength === 'M');
  return [
    '# OCPI 2.2.1, rule by rule',
    '',
    'Written by `npm run tidy -- --declare` from the titles of the tests; do not edit it. The rules are those of',
    `\`${RULES_AT}\`: M must, S should, m may, I implied (the text is silent, and this is what we do).`,
    `${proven(rules)} of ${rules.length} rules are proven by tests that name them, ${proven(musts)} of the ${musts.length} that must hold.`,
    '',
    ...rules.flatMap((rule) => {
      const tests = (proofs.get(rule.id) ?? []).map(({ path, title }) => `- ${path}: ${plain(title)}`);
      const reason = Object.hasOwn(notYet, rule.id) ? [`- no test yet: ${notYet[rule.id]}`] : [];
      return [`**${rule.id}** ${rule.strength}: ${rule.text}.`, ...tests, ...reason, ''];
    }),
  ].join('\n');
}

/** A title as text of a page: nothing in it is markup. */
function plain(title: string): string {
  return title.replace(/\s+/g, ' ').replace(/[\\`*_<>[\]|]/g, '\\$&');
}
