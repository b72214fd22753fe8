import { expect, test } from 'vitest';
import { decimal } from '#money';
import { instant, zone } from '#time';
import { defaultPolicy, policyWith } from './policy.ts';
import { holds, type Levels, type Moment, readChecks } from './restriction.ts';
import { InvalidTariff, type TariffRestrictions } from './shapes.ts';

interface Given {
  readonly at?: string;
  readonly zone?: string;
  readonly elapsedS?: number;
  readonly kwh?: number;
  readonly levels?: Levels;
}

function isActive(restrictions: TariffRestrictions, given: Given, policy = defaultPolicy): boolean {
  const atMs = instant(given.at ?? '2024-01-10T12:00:00Z');
  const moment: Moment = {
    atMs,
    wallMs: zone(given.zone ?? 'UTC').wallMs(atMs),
    elapsedMs: (given.elapsedS ?? 0) * 1000,
    energyWh: decimal(given.kwh ?? 0).shift(3),
    levels: given.levels ?? {},
  };
  return readChecks(restrictions, 0).every((check) => holds(check, moment, policy));
}

const night = { start_time: '22:00', end_time: '06:00' };
const evening = { start_time: '17:00', end_time: '00:00' };

test.each<[TariffRestrictions, string, boolean]>([
  [{ start_time: '09:00', end_time: '18:00' }, '2024-01-10T08:59:59Z', false],
  [{ start_time: '09:00', end_time: '18:00' }, '2024-01-10T09:00:00Z', true],
  [{ start_time: '09:00', end_time: '18:00' }, '2024-01-10T17:59:59.999Z', true],
  [{ start_time: '09:00', end_time: '18:00' }, '2024-01-10T18:00:00Z', false],
  [night, '2024-01-10T23:00:00Z', true],
  [night, '2024-01-10T05:59:00Z', true],
  [night, '2024-01-10T06:00:00Z', false],
  [night, '2024-01-10T21:59:00Z', false],
  [evening, '2024-01-10T23:59:59Z', true],
  [evening, '2024-01-10T00:00:00Z', false],
  [{ start_time: '17:00' }, '2024-01-10T23:59:00Z', true],
  [{ start_time: '17:00' }, '2024-01-10T16:59:00Z', false],
  [{ end_time: '17:00' }, '2024-01-10T00:00:00Z', true],
  [{ end_time: '17:00' }, '2024-01-10T17:00:00Z', false],
  [{ end_time: '00:00' }, '2024-01-10T13:00:00Z', true],
  [{ start_time: '00:00', end_time: '00:00' }, '2024-01-10T13:00:00Z', true],
  [{ start_time: '00:00', end_time: '24:00' }, '2024-01-10T13:00:00Z', true],
  [{ start_time: '9:00', end_time: '17:30:00' }, '2024-01-10T17:29:00Z', true],
  [{ start_date: '2024-01-10' }, '2024-01-10T00:00:00Z', true],
  [{ start_date: '2024-01-10' }, '2024-01-09T23:59:59Z', false],
  [{ end_date: '2024-01-10' }, '2024-01-09T23:59:59Z', true],
  [{ end_date: '2024-01-10' }, '2024-01-10T00:00:00Z', false],
  [{ day_of_week: ['WEDNESDAY'] }, '2024-01-10T00:00:00Z', true],
  [{ day_of_week: ['WEDNESDAY'] }, '2024-01-11T00:00:00Z', false],
  [{ day_of_week: [] }, '2024-01-11T00:00:00Z', true],
  [{ ...evening, day_of_week: ['TUESDAY'] }, '2024-01-10T18:00:00Z', false],
  [{ start_time: null, end_time: null, min_kwh: null }, '2024-01-10T18:00:00Z', true],
])('PRC-13 %j at %s: %s', (restrictions, at, expected) => {
  expect(isActive(restrictions, { at })).toBe(expected);
});

test('PRC-13 times, dates and days are those of the Location', () => {
  const at = '2024-07-01T05:30:00Z';
  const given = { at, zone: 'America/Vancouver' };
  expect(isActive({ start_time: '22:00', end_time: '23:00' }, given)).toBe(true);
  expect(isActive({ day_of_week: ['SUNDAY'] }, given)).toBe(true);
  expect(isActive({ end_date: '2024-07-01' }, given)).toBe(true);
  expect(isActive({ start_time: '05:00', end_time: '06:00' }, given)).toBe(false);
});

test('an hour that a clock change repeats matches twice, one that it skips never', () => {
  const window = { start_time: '02:00', end_time: '03:00' };
  const berlin = (at: string) => isActive(window, { at, zone: 'Europe/Berlin' });
  expect(berlin('2024-10-27T00:30:00Z')).toBe(true);
  expect(berlin('2024-10-27T01:30:00Z')).toBe(true);
  expect(berlin('2024-03-31T00:59:59Z')).toBe(false);
  expect(berlin('2024-03-31T01:00:00Z')).toBe(false);
});

test('a window that wraps belongs to the moment’s day, or by policy to that of its start', () => {
  const friday = { ...night, day_of_week: ['FRIDAY'], end_date: '2024-01-13' };
  const saturdayAt2 = { at: '2024-01-13T02:00:00Z' };
  const windowStart = policyWith({ wrappedWindowDay: 'window-start' });
  expect(isActive(friday, saturdayAt2)).toBe(false);
  expect(isActive(friday, saturdayAt2, windowStart)).toBe(true);
  expect(isActive(friday, { at: '2024-01-12T02:00:00Z' }, windowStart)).toBe(false);
  expect(isActive(friday, { at: '2024-01-12T23:00:00Z' }, windowStart)).toBe(true);
});

test('a window from a minute to itself is the whole day, or by policy nothing', () => {
  const same = { start_time: '10:00', end_time: '10:00' };
  expect(isActive(same, {})).toBe(true);
  expect(isActive(same, {}, policyWith({ equalTimes: 'never' }))).toBe(false);
});

test.each<[TariffRestrictions, Given, boolean]>([
  [{ min_kwh: 5 }, { kwh: 5 }, true],
  [{ min_kwh: 5 }, { kwh: 4.9999 }, false],
  [{ max_kwh: 5 }, { kwh: 5 }, false],
  [{ max_kwh: 5 }, { kwh: 4.9999 }, true],
  [{ min_duration: 60 }, { elapsedS: 60 }, true],
  [{ min_duration: 60 }, { elapsedS: 59.999 }, false],
  [{ max_duration: 60 }, { elapsedS: 60 }, false],
  [{ min_power: 16 }, { levels: { min_power: decimal(16) } }, true],
  [{ max_power: 16 }, { levels: { max_power: decimal(16) } }, false],
  [{ min_current: 32 }, { levels: { min_current: decimal('31.9') } }, false],
  [{ max_current: 32 }, { levels: { max_current: decimal('31.9') } }, true],
  [{ max_current: 32 }, {}, true],
])('PRC-13 %j of %j: %s', (restrictions, given, expected) => {
  expect(isActive(restrictions, given)).toBe(expected);
});

test.each<[TariffRestrictions, string]>([
  [{ start_time: '25:00' }, 'start_time'],
  [{ end_time: '12:60' }, 'end_time'],
  [{ end_time: 'noon' }, 'end_time'],
  [{ start_date: '2024-02-30' }, 'start_date'],
  [{ end_date: '1.1.2024' }, 'end_date'],
  [{ day_of_week: ['FUNDAY'] }, 'day_of_week'],
  [{ min_kwh: 'much' }, 'min_kwh'],
  [{ max_duration: Number.NaN }, 'max_duration'],
])('%j is refused', (restrictions, field) => {
  expect(() => readChecks(restrictions, 3)).toThrow(InvalidTariff);
  expect(() => readChecks(restrictions, 3)).toThrow(`elements[3].restrictions.${field}`);
});
