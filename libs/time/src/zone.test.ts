import { expect, test } from 'vitest';
import { daysFromCivil, instant } from './instant.ts';
import { isTimeZone, tzdbVersion, UnknownTimeZone, zone, zonesTurning } from './zone.ts';

const HOUR_MS = 3_600_000;
const localText = (name: string, at: string) => {
  const l = zone(name).local(instant(at));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${l.year}-${two(l.month)}-${two(l.day)} ${two(l.hour)}:${two(l.minute)}:${two(l.second)}`;
};

test('British Columbia stays at UTC−7 since 2026: Vancouver at 20:00Z in November is 13:00', () => {
  expect(localText('America/Vancouver', '2026-11-15T20:00:00Z')).toBe('2026-11-15 13:00:00');
  expect(localText('America/Vancouver', '2022-02-01T17:00:00Z')).toBe('2022-02-01 09:00:00');
  expect(zone('Canada/Pacific').offsetMsAt(instant('2027-01-01T00:00:00Z'))).toBe(-7 * HOUR_MS);
});

test('the release of the time zone data is known', () => {
  expect(tzdbVersion).toMatch(/^20\d\d[a-z]$/);
  expect(tzdbVersion >= '2026f').toBe(true);
});

test.each([
  ['Europe/Berlin', '2019-01-15T09:00:00Z', '2019-01-15 10:00:00', 2],
  ['Europe/Berlin', '2019-07-14T22:30:05Z', '2019-07-15 00:30:05', 1],
  ['Asia/Kathmandu', '2024-02-28T18:15:00Z', '2024-02-29 00:00:00', 4],
  ['UTC', '2023-12-31T23:59:59Z', '2023-12-31 23:59:59', 7],
  ['America/St_Johns', '2024-03-10T05:29:59Z', '2024-03-10 01:59:59', 7],
  ['America/St_Johns', '2024-03-10T05:30:00Z', '2024-03-10 03:00:00', 7],
])('%s at %s shows %s', (name, at, local, weekday) => {
  expect(localText(name, at)).toBe(local);
  expect(zone(name).local(instant(at)).weekday).toBe(weekday);
});

test('offsets are those of the runtime’s own data where the rules have not changed since', () => {
  const from = Date.UTC(1996, 0, 1);
  for (const name of [
    'Europe/Amsterdam',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Tokyo',
  ]) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    for (let at = from; at < Date.UTC(2025, 0, 1); at += 1_234_567_890) {
      const text = format.formatToParts(at).find((part) => part.type === 'timeZoneName')!.value;
      const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text)!;
      const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
      expect(zone(name).offsetMsAt(at)).toBe(sign === '-' ? -offset : offset);
    }
  }
});

test('an unknown zone is refused by name', () => {
  expect(isTimeZone('America/Vancouver')).toBe(true);
  for (const bad of ['Mars/Olympus', '', 'america/vancouver', '__proto__']) {
    expect(isTimeZone(bad)).toBe(false);
    expect(() => zone(bad)).toThrow(UnknownTimeZone);
  }
});

test('the offset’s next change is found', () => {
  const berlin = zone('Europe/Berlin');
  expect(berlin.nextTransitionMs(instant('2024-01-01T00:00:00Z'))).toBe(
    instant('2024-03-31T01:00:00Z'),
  );
  expect(berlin.nextTransitionMs(instant('2024-03-31T01:00:00Z'))).toBe(
    instant('2024-10-27T01:00:00Z'),
  );
  expect(zone('UTC').nextTransitionMs(0)).toBe(Infinity);
});

test.each([
  ['an ordinary day', '2024-01-10T12:00:00Z', 17 * 60, '2024-01-10T16:00:00Z'],
  ['that very minute is not after itself', '2024-01-10T16:00:00Z', 17 * 60, '2024-01-11T16:00:00Z'],
  ['a millisecond before', '2024-01-10T15:59:59.999Z', 17 * 60, '2024-01-10T16:00:00Z'],
  ['midnight', '2024-01-10T12:00:00Z', 0, '2024-01-10T23:00:00Z'],
  ['a minute that the clock jumps over', '2024-03-31T00:00:00Z', 150, '2024-04-01T00:30:00Z'],
  ['the minute it jumps to', '2024-03-31T00:00:00Z', 180, '2024-03-31T01:00:00Z'],
  ['a minute that comes twice', '2024-10-27T00:00:00Z', 150, '2024-10-27T00:30:00Z'],
  ['its second coming', '2024-10-27T00:30:00Z', 150, '2024-10-27T01:30:00Z'],
  ['the day after', '2024-10-27T01:30:00Z', 150, '2024-10-28T01:30:00Z'],
])('the next time of day in Berlin: %s', (_, after, minuteOfDay, at) => {
  expect(zone('Europe/Berlin').nextAtMinuteOfDay(instant(after), minuteOfDay)).toBe(instant(at));
});

test('a day that starts at 01:00 has no midnight', () => {
  const cairo = zone('Africa/Cairo');
  expect(cairo.nextAtMinuteOfDay(instant('2024-04-25T12:00:00Z'), 0)).toBe(
    instant('2024-04-26T21:00:00Z'),
  );
});

test('wall time counts from its own 1970', () => {
  const at = instant('2026-11-15T20:00:00Z');
  const days = daysFromCivil(2026, 11, 15);
  expect(zone('America/Vancouver').wallMs(at)).toBe(days * 86_400_000 + 13 * HOUR_MS);
});

test('zones whose clocks are set in a night are named once for each way of setting them, by the one with the most people', () => {
  const night = (day: string) => zonesTurning(Date.parse(`${day}T00:00:00Z`), Date.parse(`${day}T12:00:00Z`));
  expect(night('2022-03-13')).toEqual(expect.arrayContaining(['America/New_York', 'America/Chicago', 'America/St_Johns']));
  expect(night('2022-03-13')).not.toContain('America/Toronto');
  expect(night('2022-03-15')).toEqual([]);
});
