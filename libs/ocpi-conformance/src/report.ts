import type { Verdict } from './check.ts';
import type { Report } from './run.ts';
import { NO_DETAILS } from './unseen.ts';

const RULES_IN_LINE = 14;

const order: readonly Verdict[] = ['fail', 'pass', 'not tested', 'not applicable'];

/** How many rules have which verdict. */
export function counts({ verdicts }: Report): Record<Verdict, number> {
  const count = (wanted: Verdict) => verdicts.filter(({ verdict }) => verdict === wanted).length;
  return { pass: count('pass'), fail: count('fail'), 'not tested': count('not tested'), 'not applicable': count('not applicable') };
}

/**
 * The report for people: failures with their evidence, a line for each rule that was tried, and for each reason the
 * rules that were not.
 */
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
    ...order.slice(0, 2).flatMap((wanted) => verdicts.filter(({ verdict }) => verdict === wanted))
      .map(({ rule, verdict, judged, text }) => `${rule}  ${verdict}  ${text} (${judged}×)`),
    '',
    ...order.slice(2).flatMap((wanted) => untried(report, wanted)),
    ...(written.length > 0 ? ['What was written:', ...written.map((line) => `  ${line}`), ''] : []),
    order.map((verdict) => `${of[verdict]} ${verdict}`).join(', '),
    ...unopened(report),
  ].join('\n');
}

/** By reason, those with most rules first. */
function untried({ verdicts }: Report, wanted: Verdict): string[] {
  const rules = Map.groupBy(verdicts.filter(({ verdict }) => verdict === wanted), ({ why }) => why ?? '');
  return [...rules].toSorted(([, a], [, b]) => b.length - a.length)
    .flatMap(([why, of]) => [`${wanted}: ${why}`, ...lines(of.map(({ rule }) => rule)), '']);
}

function lines(rules: readonly string[]): string[] {
  return rules.length === 0 ? [] : [`  ${rules.slice(0, RULES_IN_LINE).join(' ')}`, ...lines(rules.slice(RULES_IN_LINE))];
}

const NO_ANSWER = 'no answer: ';

/** Where nothing could be tried at all: the likeliest cause, in a sentence. */
function unopened({ versionsUrl, verdicts, unreached }: Report): string[] {
  if (unreached !== undefined)
    return [
      `The platform could not call the kit at ${unreached}: --listen and --public-url say where it can. (One of ours calls this machine only with ocpi.allow_private_urls: true, for tests.)`,
    ];
  if (!verdicts.some(({ why }) => why === NO_DETAILS)) return [];
  const failed = (rule: string) => verdicts.some((one) => one.rule === rule && one.verdict === 'fail');
  const silence = verdicts.flatMap(({ findings }) => findings).find(({ response }) => response.startsWith(NO_ANSWER));
  const why = silence?.response.slice(NO_ANSWER.length).split('\n')[0];
  if (why?.startsWith('the answer')) return [`What ${versionsUrl} answers cannot be read: ${why}`];
  if (silence) return [`Nothing answers at ${versionsUrl}: is that the address, and does the platform run?`];
  if (failed('TRN-01'))
    return [
      'The platform does not take the token: it has to be a registration token (TOKEN_A) that nobody has registered with yet.',
    ];
  if (!failed('VER-01'))
    return [`The version 2.2.1 is listed at ${versionsUrl}, and its details are not at the URL that the list has.`];
  const [listed] = verdicts.flatMap(({ rule, findings }) => (rule === 'VER-01' ? findings : []));
  const others = [...(listed?.response ?? '').matchAll(/"version"\s*:\s*"([\d.]{1,10})"/g)].map(([, version]) => version);
  if (others.length > 0)
    return [`The platform lists OCPI ${others.join(', ')}; the kit tries 2.2.1, which it does not.`];
  return [`There is no list of versions with 2.2.1 in it at ${versionsUrl}: is that the versions URL?`];
}

const meaning = { M: 'must', S: 'should', m: 'may', I: 'implied' } as const;

function indented(mark: string, text: string): string[] {
  return text === '' ? [] : text.split('\n').map((line) => `${mark}${line}`);
}
