import { expect, test } from 'vitest';
import { Cdr, CdrLocation } from './cdrs.ts';
import { exampleCdr, exampleCreditCdr, exampleLocation } from './examples.ts';
import { cdrLocation, creditCdr } from './sent-cdrs.ts';

const at = '2022-02-03T18:00:00Z';

test('CDR-04 a Credit CDR is the CDR under an id of its own with only total_cost negated', () => {
  const later = { ...exampleCdr, later_field: 'kept' } as Cdr;
  expect(creditCdr(later, at)).toStrictEqual({
    ...later,
    id: 'S-20220201-0001-1-C',
    credit: true,
    credit_reference_id: 'S-20220201-0001-1',
    total_cost: { excl_vat: -4.47, incl_vat: -4.6935 },
    last_updated: at,
  });
});

test('CDR-04 a cost of nothing is credited with nothing, and VAT that does not apply stays absent', () => {
  const credit = creditCdr({ ...exampleCdr, total_cost: { excl_vat: 0 } }, at);
  expect(JSON.stringify(credit.total_cost)).toBe('{"excl_vat":0}');
  expect(Object.is(credit.total_cost.excl_vat, 0)).toBe(true);
});

test('CDR-03 the Credit CDR of the longest id is still valid', () => {
  expect(Cdr.safeParse(creditCdr({ ...exampleCdr, id: 'x'.repeat(36) }, at)).success).toBe(true);
});

test('CDR-05 a Credit CDR is not credited', () => {
  expect(() => creditCdr(exampleCreditCdr, at)).toThrow('is a Credit CDR');
});

test('CDR-08 the place of a charge is sealed as the Location says it', () => {
  const [, evse] = exampleLocation.evses!;
  expect(cdrLocation(exampleLocation, evse!, evse!.connectors[0]!)).toStrictEqual(exampleCdr.cdr_location);
});

test('D18 an address or state that a CDR cannot hold is cut, by characters', () => {
  const [, evse] = exampleLocation.evses!;
  const long = { ...exampleLocation, address: '⚡'.repeat(60), state: 'x'.repeat(45) };
  const place = cdrLocation(long, evse!, evse!.connectors[0]!);
  expect([place.address, place.state]).toEqual(['⚡'.repeat(45), 'x'.repeat(20)]);
  expect(CdrLocation.safeParse(place).success).toBe(true);
});

test('CDR-14 D19 an EVSE without evse_id has no CDRs', () => {
  const { evse_id: _, ...evse } = exampleLocation.evses![1]!;
  expect(() => cdrLocation(exampleLocation, evse, evse.connectors[0]!)).toThrow('has no evse_id');
});
