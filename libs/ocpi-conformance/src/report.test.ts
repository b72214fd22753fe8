import { expect, test } from 'vitest';
import type { RuleVerdict, Verdict } from './check.ts';
import { reportText } from './report.ts';
import { rules } from './rules.ts';
import type { Report } from './run.ts';
import { NO_DETAILS } from './unseen.ts';

type Given = Partial<Omit<RuleVerdict, 'rule'>> & { readonly verdict: Verdict };

function reportOf(given: Readonly<Record<string, Given>>): Report {
  return {
    versionsUrl: 'https://cpo.example/ocpi/versions', roles: [], written: [],
    verdicts: rules.filter(({ id }) => given[id] !== undefined)
      .map((rule) => ({ ...rule, rule: rule.id, judged: 0, findings: [], ...given[rule.id]! })),
  };
}

const untried = { verdict: 'not tested', why: NO_DETAILS } as const;
const failing = (response: string): Given => ({
  verdict: 'fail',
  judged: 1,
  findings: [{ check: 'versions', expected: 'a list', request: 'GET …', response }],
});

test('rules that were tried have a line each; those that were not stand together under their reason', () => {
  const text = reportText(reportOf({
    'TRN-01': { verdict: 'pass', judged: 3 }, 'TRN-12': { verdict: 'not tested', why: 'it cannot be seen by a partner' },
    'TRN-15': { verdict: 'not tested', why: 'it cannot be seen by a partner' }, 'HUB-15': { verdict: 'not applicable', why: 'no hub' },
  }));
  expect(text).toMatch(/^TRN-01 {2}pass {2}Every request .* \(3×\)$/m);
  expect(text).toContain('not tested: it cannot be seen by a partner\n  TRN-12 TRN-15\n');
  expect(text).toContain('not applicable: no hub\n  HUB-15\n');
  expect(text.split('\n').at(-1)).toBe('0 fail, 1 pass, 2 not tested, 1 not applicable');
});

test.each([
  ['nothing answers', { 'TRN-20': failing('no answer: connect ECONNREFUSED') }, 'Nothing answers at https://cpo.example/ocpi/versions'],
  [
    'the answer cannot be read',
    { 'TRN-20': failing('no answer: the answer is longer than 20000000 bytes') },
    'What https://cpo.example/ocpi/versions answers cannot be read: the answer is longer than 20000000 bytes',
  ],
  ['the token is not taken', { 'TRN-01': failing('HTTP 401'), 'VER-01': failing('HTTP 401') }, 'The platform does not take the token'],
  ['it is no versions URL', { 'VER-01': failing('HTTP 404') }, 'There is no list of versions'],
  [
    'it is another version',
    { 'VER-01': failing('HTTP 200\n{"data":[{"version":"2.1.1","url":"…"},{"version":"2.3.0","url":"…"}]}') },
    'The platform lists OCPI 2.1.1, 2.3.0; the kit tries 2.2.1, which it does not',
  ],
  [
    'the version has no details',
    { 'VER-01': { verdict: 'pass', judged: 2 }, 'VER-02': failing('HTTP 404') } as Readonly<Record<string, Given>>,
    'The version 2.2.1 is listed at https://cpo.example/ocpi/versions, and its details are not at the URL that the list has',
  ],
])('where %s, the last line says it', (_what, given, said) => {
  expect(reportText(reportOf({ ...given, 'TRN-52': untried })).split('\n').at(-1)).toContain(said);
});
