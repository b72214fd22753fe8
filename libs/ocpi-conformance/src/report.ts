import type { Verdict } from './check.ts';
import type { Report } from './run.ts';

const order: readonly Verdict[] = ['fail', 'pass', 'not tested', 'not applicable'];

/** How many rules have which verdict. */
export function counts({ verdicts }: Report): Record<Verdict, number> {
  const count = (wanted: Verdict) => verdicts.filter(({ verdict }) => verdict === wanted).length;
  return { pass: count('pass'), fail: count('fail'), 'not tested': count('not tested'), 'not applicable': count('not applicable') };
}

/** The report for people: failures with their evidence, then one line for each rule. */
export function reportText(report: Report): string {
  const { versionsUrl, roles, verdicts, written } = report;
  const of = counts(report);
  return [
    `OCPI 2.2.1 at ${versionsUrl}${roles.length > 0 ? ` (${roles.join(', ')})` : ''}`,
    '',
    ...verdicts.filter(({ verdict }) => verdict === 'fail').flatMap(({ rule, strength, text, findings }) => [
      `${rule} (${meaning[strength]}) ${text}`,
      ...findings.flatMap(({ check, expected, request, response }) => [
        `  expected: ${expected}   [${check}]`, ...indented('  > ', request), ...indented('  < ', response), '',
      ]),
    ]),
    ...verdicts.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
      .map(({ rule, verdict, judged, why, text }) => `${rule}  ${verdict.padEnd(14)}  ${why ?? `${text} (${judged}×)`}`),
    '',
    ...(written.length > 0 ? ['What was written:', ...written.map((line) => `  ${line}`), ''] : []),
    order.map((verdict) => `${of[verdict]} ${verdict}`).join(', '),
  ].join('\n');
}

const meaning = { M: 'must', S: 'should', m: 'may', I: 'implied' } as const;

function indented(mark: string, text: string): string[] {
  return text === '' ? [] : text.split('\n').map((line) => `${mark}${line}`);
}
