import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  civilFromDays,
  daysFromCivil,
  InvalidInstant,
  instant,
  instantWithOffset,
  rfc3339,
} from './instant.ts';

const anyInstant = fc.integer({
  min: Date.parse('0001-01-01T00:00:00Z'),
  max: Date.UTC(9999, 11, 31),
});

test('an instant survives being written and read', () => {
  fc.assert(
    fc.property(anyInstant, (ms) => {
      expect(instant(rfc3339(ms))).toBe(ms);
      expect(rfc3339(ms)).toBe(new Date(ms).toISOString().replace('.000Z', 'Z'));
    }),
    { numRuns: 5_000 },
  );
});

test('days and dates agree with the platform over four centuries', () => {
  for (let day = -150_000; day < 150_000; day += 17) {
    const date = new Date(day * 86_400_000);
    const civil = civilFromDays(day);
    expect(civil.day).toBe(date.getUTCDate());
    expect(civil.month).toBe(date.getUTCMonth() + 1);
    expect(daysFromCivil(civil.year, civil.month, civil.day)).toBe(day);
  }
});

test.each([
  ['2022-02-01T17:00:00Z', '2022-02-01T17:00:00.000Z'],
  ['2022-02-01T17:00:00', '2022-02-01T17:00:00.000Z'],
  ['2022-02-01T17:00:00+00:00', '2022-02-01T17:00:00.000Z'],
  ['2022-02-01T17:00:00-00:00', '2022-02-01T17:00:00.000Z'],
  ['2022-02-01T17:00:00.5Z', '2022-02-01T17:00:00.500Z'],
  ['2022-02-01T17:00:00.123', '2022-02-01T17:00:00.123Z'],
  ['2022-02-01T17:00:00.123999Z', '2022-02-01T17:00:00.123Z'],
  ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
])('%s is understood', (text, iso) => {
  expect(instant(text)).toBe(Date.parse(iso));
});

test.each([
  '',
  '2022-02-01',
  '2022-02-01T17:00Z',
  '2022-02-30T17:00:00Z',
  '2023-02-29T00:00:00Z',
  '2022-13-01T00:00:00Z',
  '2022-00-01T00:00:00Z',
  '2022-02-01T24:00:00Z',
  '2022-02-01T17:60:00Z',
  '2022-02-01T17:00:60Z',
  '2022-02-01 17:00:00Z',
  '2022-02-01T17:00:00.Z',
  '2022-02-01T17:00:00Zz',
  '2022-02-01T17:00:00+01:00',
  '2022-02-01T17:00:00+0000',
  '1970-1-1T00:00:00Z',
  '20x2-02-01T17:00:00Z',
])('%j is refused as an instant', (text) => {
  expect(() => instant(text)).toThrow(InvalidInstant);
});

test('what is no text is refused by the same name', () => {
  for (const bad of [undefined, null, 5, {}]) {
    expect(() => instant(bad as unknown as string)).toThrow(InvalidInstant);
  }
});

test('a charger’s local time with its offset is the same instant', () => {
  expect(instantWithOffset('2022-02-01T09:00:00-08:00')).toBe(instant('2022-02-01T17:00:00Z'));
  expect(instantWithOffset('2022-02-01T22:45:00.250+05:45')).toBe(
    instant('2022-02-01T17:00:00.25Z'),
  );
  expect(() => instantWithOffset('2022-02-01T09:00:00-8')).toThrow(InvalidInstant);
});

test('no instant is written for what is none', () => {
  for (const bad of [Number.NaN, Infinity, 1.5]) expect(() => rfc3339(bad)).toThrow(RangeError);
});
