import { expect, test } from 'vitest';
import { exampleLocation, exampleTariff } from './examples.ts';
import { read } from './issues.ts';
import { Location } from './locations.ts';
import { Tariff } from './tariffs.ts';

const says = (schema: typeof Location | typeof Tariff, value: unknown) => {
  const reading = read(schema, value);
  return reading.ok ? 'valid' : reading.message;
};

test('a refusal names the place in the JSON and the rule', () => {
  const [dc, level2] = exampleLocation.evses!;
  const second = { ...dc!.connectors[1]!, standard: 'CHAdeMO' };
  const location = { ...exampleLocation, evses: [{ ...dc!, connectors: [dc!.connectors[0], second] }, level2] };
  const message = 'evses[0].connectors[1].standard: unknown ConnectorType "CHAdeMO" (OCPI 2.2.1)';
  expect(says(Location, location)).toBe(message);
});

test('of many faults three are named and the rest are counted', () => {
  const message = says(Tariff, {});
  expect(message).toMatch(/^country_code: is missing, .*; party_id: is missing, .*; id: is missing, /);
  expect(message).toMatch(/ a CiString\(36\) is required; and 3 more \(OCPI 2\.2\.1\)$/);
});

test('what is no object at all is said so', () => {
  expect(says(Tariff, [])).toBe('must be a Tariff object, not a list (OCPI 2.2.1)');
  expect(says(Tariff, 'x'.repeat(100))).toMatch(/^must be a Tariff object, not "x{38}… /);
});

test('D28 null in a required field is refused, in an optional one it is absent', () => {
  const message = says(Tariff, { ...exampleTariff, currency: null });
  expect(message).toMatch(/^currency: must be an ISO 4217 currency, not null/);
  const reading = read(Tariff, { ...exampleTariff, min_price: null, tariff_alt_text: null });
  expect(reading.ok && Object.keys(reading.value)).not.toContain('min_price');
});

test('TRN-17 fields that 2.2.1 does not know are kept, at every depth', () => {
  const later = { ...exampleTariff, tax_included: 'NO', elements: [{ ...exampleTariff.elements[0]!, x: [null] }] };
  expect(Tariff.parse(later)).toStrictEqual(later);
});
