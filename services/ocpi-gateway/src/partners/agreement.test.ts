import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold, given, withRepeats } from '#decider';
import { exampleTerms } from '#settlement';
import { instant } from '#time';
import {
  agreementDecider, type AgreementEvent, type AgreementSet, holdingVersions, type SetAgreement,
} from './agreement.ts';

const own = { country_code: 'CA', party_id: 'BCT' };
const partner = { country_code: 'CA', party_id: 'CPK' };
const at = '2022-02-01T18:00:00Z';

function order(more: Partial<SetAgreement> = {}): SetAgreement {
  return { type: 'SetAgreement', commandId: 'c-1', own, partner, terms: exampleTerms, now: instant(at), ...more };
}

function set(more: Partial<AgreementSet> = {}): AgreementSet {
  return { type: 'AgreementSet', partner, version: 1, terms: exampleTerms, at, commandId: 'c-1', ...more };
}

const terms = (more: Partial<typeof exampleTerms>) => ({ terms: { ...exampleTerms, ...more } });

test('an agreement is set', () => given(agreementDecider).when(order()).then(set()));

test('the same terms again are no news, nor is the same order however late', () => {
  const newer = set({ version: 2, commandId: 'c-2', ...terms({ closing_days: 12 }) });
  given(agreementDecider, set()).when(order({ commandId: undefined })).thenNothing();
  given(agreementDecider, set(), newer).when(order()).thenNothing();
});

test('an order of terms that hold already does not bring them back later', () => {
  const again = order({ commandId: 'c-9' });
  const kept: AgreementEvent = { type: 'AgreementKept', at, commandId: 'c-9' };
  const newer = set({ version: 2, commandId: 'c-10', ...terms({ closing_days: 12 }) });
  given(agreementDecider, set()).when(again).then(kept);
  given(agreementDecider, set(), kept).when(again).thenNothing();
  given(agreementDecider, set(), kept, newer).when(again).thenNothing();
});

test('the id of an order is not taken for other terms, which would seem to be set', () => {
  for (const more of [{ closing_days: 12 }, { valid_from: '2022-05' }]) {
    given(agreementDecider, set()).when(order(terms(more))).thenRejected('invalid-object');
  }
});

test('other terms for the same month replace it, others for a later month follow it', () => {
  const changed = terms({ closing_days: 12 });
  given(agreementDecider, set()).when(order({ commandId: 'c-2', ...changed }))
    .then(set({ version: 2, commandId: 'c-2', ...changed }));
  const later = terms({ valid_from: '2022-05' });
  given(agreementDecider, set()).when(order({ commandId: 'c-2', ...later }))
    .then(set({ version: 2, commandId: 'c-2', ...later }));
});

test('a month that is closed keeps its terms', () => {
  const late = { commandId: 'c-2', now: instant('2022-03-11T08:00:00.001Z') };
  given(agreementDecider, set()).when(order({ ...late, ...terms({ fees: [] }) })).thenRejected('month-closed');
  given(agreementDecider, set()).when(order({ ...late, ...terms({ fees: [], closing_days: 60 }) }))
    .thenRejected('month-closed');
  given(agreementDecider).when(order(late)).thenRejected('month-closed');
});

test('a new zone does not move the end of a month that is closed', () => {
  const move = { commandId: 'c-2', now: instant('2022-03-12T00:00:00Z') };
  const tokyo = terms({ valid_from: '2022-03', time_zone: 'Asia/Tokyo' });
  given(agreementDecider, set()).when(order({ ...move, ...tokyo })).thenRejected('month-closed');
  const fees = terms({ valid_from: '2022-03', fees: [] });
  given(agreementDecider, set()).when(order({ ...move, ...fees }))
    .then(set({ version: 2, commandId: 'c-2', at: '2022-03-12T00:00:00Z', ...fees }));
});

const steered = { token_party: { country_code: 'CA', party_id: 'CPK' }, consent: 'theirs' };

test('another consent is another version, the same in another order is not', () => {
  const grants = (...smart_charging: object[]) => terms({ grants: { smart_charging: smart_charging as (typeof steered)[] } });
  const [one, other] = [{ ...steered, contract_ids: ['A', 'b'] }, { ...steered, until: '2022-12-31T00:00:00Z' }];
  const held = set(grants(one, other));
  given(agreementDecider, held).when(order({ commandId: 'c-2', ...grants(other, { ...one, contract_ids: ['B', 'a'] }) }))
    .then({ type: 'AgreementKept', at, commandId: 'c-2' });
  given(agreementDecider, held).when(order({ commandId: 'c-2', ...grants(one) })).then(set({ version: 2, commandId: 'c-2', ...grants(one) }));
});

test.each([
  [{ valid_from: '2022-13' }],
  [{ time_zone: 'Pacific/Vancouver' }],
  [{ closing_days: 91 }],
  [{ closing_days: 1.5 }],
  [{ currencies: ['XXQ'] }],
  [{ currencies: [] }],
  [{ parties: [exampleTerms.parties[0]!] }],
  [{ parties: [exampleTerms.parties[0]!, exampleTerms.parties[0]!] }],
  [{ parties: exampleTerms.parties.map((party) => ({ ...party, name: 'two\nlines' })) }],
  [{ fees: [{ ...exampleTerms.fees[0]!, amount: '-1' }] }],
  [{ fees: [{ ...exampleTerms.fees[0]!, amount: '1e3' }] }],
  [{ fees: [{ ...exampleTerms.fees[0]!, per: 'percent' as const }] }],
  [{ fees: [{ ...exampleTerms.fees[0]!, cdrs_of: { country_code: 'CA', party_id: 'XYZ' } }] }],
  [{ grants: { smart_charging: [{ token_party: { country_code: 'CA', party_id: 'CARBON' }, consent: 'theirs' }] } }],
  [{ grants: { smart_charging: [{ ...steered, consent: ' ' }] } }],
  [{ grants: { smart_charging: [{ ...steered, contract_ids: ['C'.repeat(37)] }] } }],
  [{ grants: { smart_charging: [{ ...steered, locations: [''] }] } }],
  [{ grants: { smart_charging: [{ ...steered, since: '2022-02-30T00:00:00Z' }] } }],
  [{ grants: { smart_charging: [{ ...steered, since: '2022-02-02T00:00:00Z', until: '2022-02-02T00:00:00Z' }] } }],
  [{ grants: { smart_charging: Array.from({ length: 51 }, () => steered) } }],
])('terms with %j are none', (more) => {
  given(agreementDecider).when(order(terms(more))).thenRejected('invalid-object');
});

test('any order repeated at any later point sets nothing', () => {
  const orders = fc.array(
    fc.record({ month: fc.integer({ min: 2, max: 5 }), closing_days: fc.integer({ min: 1, max: 3 }) }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(orders, (all) => {
      const commands = all.map(({ month, closing_days }, n) => order({
        commandId: `c-${n}`, ...terms({ valid_from: `2022-0${month}`, closing_days }),
      }));
      const state = fold(agreementDecider, withRepeats(agreementDecider, commands));
      expect(holdingVersions(state)).toHaveLength(new Set(all.map(({ month }) => month)).size);
    }),
  );
});

