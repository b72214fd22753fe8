import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant, rfc3339, zone } from '#time';
import { isInScope, SettlementCalendar } from './calendar.ts';
import { exampleTerms } from './example.ts';
import { nextMonth } from './month.ts';
import type { AgreementTerms } from './terms.ts';

const vancouver = zone('America/Vancouver');
const calendarOf = (...versions: Partial<AgreementTerms>[]) =>
  new SettlementCalendar(versions.map((version) => ({ ...exampleTerms, ...version })), vancouver);

test.each([
  ['2022-02', 10, 'America/Vancouver', '2022-03-11T08:00:00Z', '2022-03-10'],
  ['2022-02', 20, 'America/Vancouver', '2022-03-21T07:00:00Z', '2022-03-20'],
  ['2022-12', 0, 'America/Halifax', '2023-01-01T04:00:00Z', '2022-12-31'],
  ['2022-01', 31, 'Asia/Tokyo', '2022-03-03T15:00:00Z', '2022-03-03'],
])('%s closes %d days after its end in %s: at %s', (month, closing_days, time_zone, at, day) => {
  const calendar = calendarOf({ valid_from: '2022-01', closing_days, time_zone });
  expect(rfc3339(calendar.closesAt(month)!)).toBe(at);
  expect(calendar.closingDay(month)).toBe(day);
});

test('without an agreement a month never closes, and nothing in it is ever late', () => {
  const calendar = calendarOf({ valid_from: '2022-03' });
  expect(calendar.scopeOf('2022-02')).not.toHaveProperty('closesAt');
  expect(isInScope(calendar.scopeOf('2022-02'), instant('2022-02-10T00:00:00Z'), instant('2029-01-01T00:00:00Z')))
    .toBe('of-the-month');
  expect(calendar.scopeOf('2022-03')).not.toHaveProperty('late');
});

test('a CDR acknowledged at the closing instant is in time; a millisecond later it is late', () => {
  const calendar = calendarOf({});
  const [february, march] = [calendar.scopeOf('2022-02'), calendar.scopeOf('2022-03')];
  const updated = instant('2022-02-10T00:00:00Z');
  const closes = february.closesAt!;
  expect([isInScope(february, updated, closes), isInScope(march, updated, closes)]).toEqual(['of-the-month', undefined]);
  expect([isInScope(february, updated, closes + 1), isInScope(march, updated, closes + 1)]).toEqual([undefined, 'late']);
});

test('where a version brings another zone, months still follow each other without gap or overlap', () => {
  const calendar = calendarOf({}, { valid_from: '2022-04', time_zone: 'Asia/Tokyo' });
  expect(rfc3339(calendar.scopeOf('2022-03').to)).toBe('2022-03-31T15:00:00Z');
  expect(calendar.scopeOf('2022-03').to).toBe(calendar.scopeOf('2022-04').from);
  expect(calendar.feePeriods().map(({ to }) => to)).toEqual([calendar.startOf('2022-04'), Infinity]);
});

const zones = fc.constantFrom('America/Vancouver', 'America/St_Johns', 'Asia/Tokyo', 'Pacific/Auckland', 'UTC');
const version = fc.record({
  month: fc.integer({ min: 1, max: 9 }),
  time_zone: zones,
  closing_days: fc.integer({ min: 0, max: 90 }),
});

test('every CDR is on exactly one statement, under any versions of the agreement', () => {
  const from = instant('2021-12-01T00:00:00Z');
  const day = 86_400_000;
  fc.assert(
    fc.property(
      fc.uniqueArray(version, { minLength: 0, maxLength: 3, selector: ({ month }) => month }),
      fc.integer({ min: 0, max: 300 * 24 }), fc.integer({ min: -24, max: 200 * 24 }),
      (versions, hour, laterHours) => {
        const calendar = calendarOf(...versions.map(({ month, ...rest }) => ({ ...rest, valid_from: `2022-0${month}` })));
        const updated = from + (hour * day) / 24;
        const acknowledged = updated + (laterHours * day) / 24;
        const found: string[] = [];
        for (let month = '2021-10'; month < '2024-06'; month = nextMonth(month)) {
          if (isInScope(calendar.scopeOf(month), updated, acknowledged)) found.push(month);
        }
        expect(found).toHaveLength(1);
      },
    ),
    { numRuns: 300 },
  );
});
