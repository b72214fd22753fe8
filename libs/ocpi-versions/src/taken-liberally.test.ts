import { expect, test } from 'vitest';
import { exampleCdr, exampleLocation, exampleTariff } from '#ocpi';
import { type Converted, down, type Json, type Kind, type OtherVersion, up } from './index.ts';

// What comes in by the letter of a version, or as its own text writes it in examples, is taken.

const bct = { country_code: 'CA', party_id: 'BCT' };
const context = { owner: bct, other: { country_code: 'CA', party_id: 'CPK' }, now: '2026-02-01T17:00:00Z' };

function carried(made: Converted) {
  if (!made.ok) throw new Error(made.message);
  return made;
}
const from = (version: OtherVersion, kind: Kind, value: unknown) => carried(up(version, { kind }, value, context));
const place211 = carried(down('2.1.1', { kind: 'location' }, exampleLocation, context)).value;
const cdr211 = carried(down('2.1.1', { kind: 'cdr' }, exampleCdr, context)).value;

test('2.1.1 a country of two letters, as its own examples of Sessions and CDRs have it, is the one of three', () => {
  const { value, lost } = from('2.1.1', 'cdr', { ...cdr211, location: { ...(cdr211.location as Json), country: 'BE' } });
  expect(value.cdr_location).toMatchObject({ country: 'BEL' });
  expect(lost).toContain('location.country: has two letters; BEL is taken');
  expect(from('2.1.1', 'location', { ...place211, country: 'nl' }).value).toMatchObject({ country: 'NLD' });
  expect(up('2.1.1', { kind: 'location' }, { ...place211, country: 'XX' }, context)).toMatchObject({ ok: false, why: 'invalid' });
});

test('2.1.1 the end of a day may be 24:00: of a Tariff it is 00:00, of opening hours 23:59', () => {
  const tariff = carried(down('2.1.1', { kind: 'tariff' }, exampleTariff, context)).value;
  const elements = [{ price_components: [{ type: 'TIME', price: 2, step_size: 60 }], restrictions: { start_time: '18:00', end_time: '24:00' } }];
  const night = from('2.1.1', 'tariff', { ...tariff, elements });
  expect(night.value.elements).toMatchObject([{ restrictions: { start_time: '18:00', end_time: '00:00' } }]);
  expect(night.lost).toEqual([]);
  const regular_hours = [{ weekday: 1, period_begin: '08:00', period_end: '24:00' }];
  const open = from('2.1.1', 'location', { ...place211, opening_times: { regular_hours } });
  expect(open.value.opening_times).toMatchObject({ regular_hours: [{ period_end: '23:59' }] });
  expect(open.lost).toContain('opening_times.regular_hours[0].period_end: OCPI 2.2.1 has no 24:00; 23:59 is taken');
});

test('2.1.1 a floor and the number on an EVSE may come as numbers, as in its own example', () => {
  const [dc] = place211.evses as Json[];
  const { value } = from('2.1.1', 'evse', { ...dc, physical_reference: 3, floor_level: -1 });
  expect(value).toMatchObject({ physical_reference: '3', floor_level: '-1' });
});

test('2.1.1 a Location without time_zone is in a zone of its country, so that its clock is changed in summer', () => {
  const zoneOf = (country: string, latitude: string, longitude: string) => {
    const { time_zone: _none, ...place } = place211;
    const { value, lost } = from('2.1.1', 'location', { ...place, country, coordinates: { latitude, longitude } });
    expect(lost).toContain(`time_zone: is not given; ${value.time_zone as string} is taken, by the country and the coordinates`);
    return value.time_zone;
  };
  expect(zoneOf('BEL', '51.047599', '3.729944')).toBe('Europe/Brussels');
  expect(zoneOf('ESP', '40.416800', '-3.703800')).toBe('Europe/Madrid');
  expect(zoneOf('ESP', '28.123500', '-15.436300')).toBe('Atlantic/Canary');
  expect(zoneOf('CAN', '49.248809', '-123.002300')).toBe('America/Vancouver');
  // Some write a text where they have none.
  const { value, lost } = from('2.1.1', 'location', { ...place211, time_zone: '' });
  expect([value.time_zone, lost]).toEqual(['America/Vancouver', ['time_zone: is not given; America/Vancouver is taken, by the country and the coordinates']]);
});

test('2.1.1 an id of a Location or EVSE that is longer than what 2.2.1 keeps is refused by name: cut, it would be another\'s', () => {
  const [dc] = place211.evses as Json[];
  for (const [kind, value] of [['location', { ...place211, id: 'L'.repeat(39) }], ['evse', { ...dc, uid: 'E'.repeat(37) }]] as const)
    expect(up('2.1.1', { kind }, value, context)).toMatchObject({
      ok: false, why: 'invalid', message: expect.stringMatching(/id: is longer than 36 characters \(OCPI 2\.2\.1\)$/),
    });
  expect(from('2.1.1', 'location', { ...place211, id: 'L'.repeat(36) }).value.id).toBe('L'.repeat(36));
});

test('2.3.0 a tax has a name of any length', () => {
  const session = carried(down('2.3.0', { kind: 'cdr' }, exampleCdr, context)).value;
  const taxes = [{ name: 'T'.repeat(400), account_number: '1'.repeat(300), amount: 0.5 }];
  expect(from('2.3.0', 'cdr', { ...session, total_cost: { before_taxes: 4.47, taxes } }).value).toMatchObject({
    total_cost: { excl_vat: 4.47, incl_vat: 4.97 },
  });
});

test('2.3.0 of a Tariff to whose prices taxes are added at no rate that is named, that is said', () => {
  const elements = [{ price_components: [{ type: 'TIME', price: 2, step_size: 60 }] }];
  const northAmerican = { ...exampleTariff, elements, tax_included: 'NO' };
  expect(from('2.3.0', 'tariff', northAmerican).lost).toEqual([
    'elements: taxes of an unknown rate are added to the prices; without vat OCPI 2.2.1 has none',
  ]);
  expect(from('2.3.0', 'tariff', { ...northAmerican, tax_included: 'N/A' }).lost).toEqual([]);
});
