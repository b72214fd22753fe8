import { expect, test } from 'vitest';
import { classes, enums } from '../test/catalogue.ts';
import { ci, dateTimeOf, instantMs, known, number, text } from './fields.ts';
import { issuesOf } from './issues.ts';
import { Capability, Evse, GeoLocation } from './locations.ts';

test('all 55 classes and 34 enums of OCPI 2.2.1 have a schema', () => {
  expect(Object.keys(classes)).toHaveLength(55);
  expect(Object.keys(enums)).toHaveLength(34);
});

test('TYP-01 a CiString is printable ASCII', () => {
  expect(ci(5).safeParse('CA*BC').success).toBe(true);
  expect(ci(5).safeParse('CA\tBC').success).toBe(false);
  expect(ci(5).safeParse('Québe').success).toBe(false);
});

test('TYP-02 a string is any printable text, measured in characters', () => {
  expect(text(3).safeParse('Québec').success).toBe(false);
  expect(text(3).safeParse('⚡🔌🚗').success).toBe(true);
  expect(text(3).safeParse('a\nb').success).toBe(false);
  expect(text(3).safeParse('\ud83d').success).toBe(false);
});

test('TYP-03 a DateTime is an instant in UTC, with or without Z', () => {
  const same = Date.UTC(2022, 1, 1, 17);
  expect(instantMs('2022-02-01T17:00:00Z')).toBe(same);
  expect(instantMs('2022-02-01T17:00:00')).toBe(same);
  expect(instantMs('2022-02-01T17:00:00.250Z')).toBe(same + 250);
  expect(instantMs('2022-02-01T17:00:00+00:00')).toBe(same);
  const wrong = ['2022-02-01T17:00:00-08:00', '2022-02-30T17:00:00Z', '2022-02-01', '1970-1-1T00:00:00Z', '0000-01-01T00:00:00Z', ''];
  for (const text of wrong) expect(instantMs(text), text).toBeUndefined();
  expect([dateTimeOf(same), dateTimeOf(same + 5)]).toEqual(['2022-02-01T17:00:00Z', '2022-02-01T17:00:00.005Z']);
});

test.each([
  ['2022-02-01T17:00:00.1234Z', 123],
  ['2022-02-01T17:00:00.12345', 123],
  ['2022-02-01T17:00:00.12345Z', undefined],
  ['2022-02-01T17:00:00.123456', undefined],
  ['2022-02-01T17:00:00.', undefined],
])('TYP-03 a DateTime has as many fractional digits as fit into its 25 characters: %s', (text, fractionMs) => {
  expect(instantMs(text)).toBe(fractionMs === undefined ? undefined : Date.UTC(2022, 1, 1, 17) + fractionMs);
});

test('TYP-04 a number is one that can be an amount, a volume or a limit', () => {
  for (const value of [0, -5, 12.375, 5.551115123125783e-17, 1e15]) expect(number.safeParse(value).success, `${value}`).toBe(true);
  for (const value of [1e308, -1e16, 1e-300, NaN, Infinity]) expect(number.safeParse(value).success, `${value}`).toBe(false);
});

test('TYP-08 an unknown value in a describing list is kept, and left out by who asks for the known ones', () => {
  const connector = sampleConnector();
  const evse = Evse.parse({
    uid: 'E1', status: 'AVAILABLE', connectors: [connector], capabilities: ['RESERVABLE', 'PLUG_AND_CHARGE'],
    last_updated: '2022-02-01T17:00:00Z',
  });
  expect(evse.capabilities).toEqual(['RESERVABLE', 'PLUG_AND_CHARGE']);
  expect(known(Capability, evse.capabilities)).toEqual(['RESERVABLE']);
  expect(known(Capability, undefined)).toEqual([]);
});

test('TYP-08 an unknown value in a required field is refused, by path, enum and value', () => {
  const { error } = Evse.safeParse({
    uid: 'E1', status: 'AVAILABLE', connectors: [sampleConnector(), { ...sampleConnector(), standard: 'MCS' }],
    last_updated: '2022-02-01T17:00:00Z',
  });
  expect(issuesOf(error!)).toBe('connectors[1].standard: unknown ConnectorType "MCS" (OCPI 2.2.1)');
});

test('LOC-09 coordinates are strings on this earth', () => {
  expect(GeoLocation.safeParse({ latitude: '49.248809', longitude: '-123.115310' }).success).toBe(true);
  expect(GeoLocation.safeParse({ latitude: 49.248809, longitude: '-123.115310' }).success).toBe(false);
  expect(GeoLocation.safeParse({ latitude: '91.000000', longitude: '-123.115310' }).success).toBe(false);
  expect(GeoLocation.safeParse({ latitude: '49.2', longitude: '-123.115310' }).success).toBe(false);
});

function sampleConnector() {
  return {
    id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32,
    last_updated: '2022-02-01T17:00:00Z',
  };
}
