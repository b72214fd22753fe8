import { test } from 'vitest';
import { given } from '#decider';
import { exampleTerms } from '#settlement';
import { type AgreementNoted, notedAgreement } from './agreement.ts';

const partner = { country_code: 'CA', party_id: 'CPK' };
const noted = (version: number): AgreementNoted => ({
  type: 'AgreementNoted', ledger: 'CA*BCT', partner, version, terms: exampleTerms, at: '2022-02-01T18:00:00Z',
});
const note = (version: number) => ({ ...noted(version), type: 'NoteAgreement' as const });

test('an agreement is noted', () => given(notedAgreement).when(note(1)).then(noted(1)));

test('one that is told again, however late, is noted once', () => {
  given(notedAgreement, noted(1)).when(note(1)).thenNothing();
  given(notedAgreement, noted(1), noted(2)).when(note(1)).thenNothing();
});
