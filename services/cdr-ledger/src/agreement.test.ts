import { test } from 'vitest';
import { given } from '#decider';
import { exampleTerms } from '#settlement';
import { type AgreementNoted, notedAgreement } from './agreement.ts';

const partner = { country_code: 'CA', party_id: 'CPK' };
const noted = (version: number, at = '2022-02-01T18:00:00Z'): AgreementNoted => ({
  type: 'AgreementNoted', ledger: 'CA*BCT', partner, version, terms: exampleTerms, at,
});
const note = (...told: Parameters<typeof noted>) => ({ ...noted(...told), type: 'NoteAgreement' as const });

test('an agreement is noted', () => given(notedAgreement).when(note(1)).then(noted(1)));

test('one that is told again, however late, is noted once', () => {
  given(notedAgreement, noted(1)).when(note(1)).thenNothing();
  given(notedAgreement, noted(1), noted(2)).when(note(1)).thenNothing();
});

test('what is agreed on after a restore, where the gateway counts from 1 again, is noted, and once', () => {
  const before = [noted(1), noted(2), noted(3, '2022-02-02T18:00:00Z')];
  const [first, second] = [[1, '2022-02-03T18:00:00.5Z'], [2, '2022-02-03T18:00:00.5Z']] as const;
  given(notedAgreement, ...before).when(note(...first)).then(noted(...first));
  given(notedAgreement, ...before, noted(...first)).when(note(...first)).thenNothing();
  given(notedAgreement, ...before, noted(...first)).when(note(...second)).then(noted(...second));
  given(notedAgreement, ...before, noted(...first), noted(...second)).when(note(...first)).thenNothing();
});

test('a version that was set by a clock set back is noted, and those before it are still known', () => {
  const before = [noted(1), noted(2, '2022-02-02T18:00:00Z')];
  const back = [3, '2022-02-02T17:00:00Z'] as const;
  given(notedAgreement, ...before).when(note(...back)).then(noted(...back));
  given(notedAgreement, ...before, noted(...back)).when(note(2, '2022-02-02T18:00:00Z')).thenNothing();
});
