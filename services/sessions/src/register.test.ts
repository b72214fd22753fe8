import { describe, expect, test } from 'vitest';
import { exampleLocation, type PowerType } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { type Doubted, type Judged, judged, judgedStop, powerWMaxOf, type Register, tenthsOf } from './register.ts';

const startMs = instant('2022-02-01T17:00:00Z');
const at = (minute: number) => rfc3339(startMs + minute * 60_000);
/** 10 minutes after the start, of 7.68 kW at most. */
const stands = (wh: number, more: Partial<Register> = {}): Register => ({
  startMs,
  startTenthWh: wh * 10,
  atMs: instant(at(10)),
  tenthWh: wh * 10,
  carriedTenthWh: 0,
  doubted: undefined,
  ...more,
});
const judge = (register: Register, wh: number, minute = 20) =>
  judged(register, { atMs: instant(at(minute)), rawTenthWh: tenthsOf(String(wh)) }, 7_680);
const on = (wh: number, carriedWh = 0): Judged => ({
  counts: 'on', tenthWh: wh * 10, carriedTenthWh: carriedWh * 10,
});
const doubted = (minute: number, energyWh: string, why: Doubted['why'] = 'register-fell') => ({
  doubted: { at: at(minute), energyWh, why },
});

test.each<[string, Register, number, Judged]>([
  ['goes on', stands(5_000), 6_000, on(6_000)],
  ['stays', stands(5_000), 5_000, on(5_000)],
  ['goes on, and carries what it lost before', stands(1_001_000, { carriedTenthWh: 1e7 }), 1_500, on(1_001_500, 1e6)],
  ['rises by half more than the connector gives', stands(5_000), 5_000 + 2_304, on(7_304)],
  ['rises by more', stands(5_000), 5_000 + 2_305, { counts: 'not', why: 'reading-beyond-power' }],
  ['falls', stands(5_000), 4_000, { counts: 'not', why: 'register-fell' }],
  ['falls to 0', stands(5_000), 0, { counts: 'not', why: 'register-fell' }],
  ['is of a session alone and falls when it was nearly 100 kWh', stands(99_900), 100, { counts: 'not', why: 'register-fell' }],
])('a register that %s', (_, register, wh, means) => expect(judge(register, wh)).toEqual(means));

test.each([1e6, 1e7, 1e8, 1e9, 2 ** 32, 1e10])('a register of %d Wh that is full begins again at 0', (size) => {
  const full = stands(size - 400);
  expect(judge(full, 600)).toEqual({ counts: 'wrapped', tenthWh: (size + 600) * 10, carriedTenthWh: size * 10 });
  expect(judge(full, 1_905)).toEqual({ counts: 'not', why: 'register-fell' });
  expect(judge(stands(size / 2), 600)).toEqual({ counts: 'not', why: 'register-fell' });
});

test('a register that shows 0 may have begun again or not be there: what comes next says it', () => {
  for (const full of [stands(999_900), stands(998_000, doubted(11, '0'))]) {
    expect(judge(full, 0, 40)).toEqual({ counts: 'not', why: 'register-fell' });
    expect(judge({ ...full, ...doubted(40, '0') }, 300, 41)).toMatchObject({ counts: 'wrapped' });
  }
});

test.each<[string, number, number, number | undefined]>([
  // 12 h at 22 kW could also have been 222.5 kWh.
  ['a young one\'s', 162_000, 60_000, 22_080],
  ['a new one\'s, which all could have flowed since the last reading', 600, 60_000, 22_080],
  ['one\'s of which nobody says what can flow', 162_000, 60_000, undefined],
])('S16-54: a stop by the meter\'s own register, of readings that count the charge alone, is not taken for one of theirs: %s', (_, startWh, readWh, powerWMax) => {
  const register = stands(startWh + readWh, { atMs: instant(at(715)), carriedTenthWh: startWh * 10 });
  const stop = { atMs: instant(at(720)), rawTenthWh: (startWh + readWh + 500) * 10 };
  const charge = { startMs, startTenthWh: startWh * 10, powerWMax };
  expect(judgedStop(register, stop, charge)).toEqual(on(startWh + readWh + 500));
});

test('S16-54: a stop of readings that count on from a register that began again counts on, too', () => {
  const charge = { startMs, startTenthWh: 9_996_000, powerWMax: 7_680 };
  expect(judgedStop(stands(1_001_000, { carriedTenthWh: 1e7 }), { atMs: instant(at(20)), rawTenthWh: 15_000 }, charge))
    .toEqual(on(1_001_500, 1e6));
});

describe('a value that cannot be is borne out by the next that grows from it', () => {
  test.each<[string, Register, number, number, Judged]>([
    [
      'after a reset',
      stands(5_000, doubted(11, '20')),
      12,
      120,
      { counts: 'replaced', tenthWh: 51_000, carriedTenthWh: 49_800 },
    ],
    [
      'after the meter was replaced by one that counts more',
      stands(5_000, doubted(11, '900000', 'reading-beyond-power')),
      12,
      900_100,
      { counts: 'replaced', tenthWh: 51_000, carriedTenthWh: -8_950_000 },
    ],
    ['not where it only stays', stands(5_000, doubted(11, '0')), 12, 0, { counts: 'not', why: 'register-fell' }],
    ['not where it falls again', stands(5_000, doubted(11, '300')), 12, 200, { counts: 'not', why: 'register-fell' }],
    [
      'not where it rises too fast',
      stands(5_000, doubted(11, '20')),
      12,
      4_000,
      { counts: 'not', why: 'register-fell' },
    ],
    [
      'not by one of the same instant',
      stands(5_000, doubted(12, '20')),
      12,
      120,
      { counts: 'not', why: 'register-fell' },
    ],
    ['not where the old line goes on', stands(5_000, doubted(11, '20')), 12, 5_100, on(5_100)],
  ])('%s', (_, register, minute, wh, means) => expect(judge(register, wh, minute)).toEqual(means));
});

test('where nobody says what the connector gives, a register may rise by anything', () => {
  const [some, full] = [stands(5_000), stands(99_999_600)];
  expect(judged(some, { atMs: some.atMs, rawTenthWh: 5e7 }, undefined)).toEqual(on(5e6));
  expect(judged(full, { atMs: full.atMs, rawTenthWh: 6_000 }, undefined)).toMatchObject({ counts: 'wrapped' });
});

test.each<[PowerType, number, number, number | undefined, number | undefined]>([
  ['AC_1_PHASE', 240, 32, undefined, 7_680],
  ['AC_2_PHASE', 208, 32, 6_656, 13_312],
  ['AC_3_PHASE', 230, 32, undefined, 22_080],
  ['DC', 920, 500, 150_000, 460_000],
  ['DC', 0, 0, 50_000, 50_000],
  ['AC_1_PHASE', 240, 0, undefined, undefined],
])(
  'a connector of %s, %d V, %d A gives at most what its fields say',
  (power_type, max_voltage, max_amperage, max_electric_power, watts) => {
    const [evse] = exampleLocation.evses!;
    const connector = { ...evse!.connectors[0]!, power_type, max_voltage, max_amperage, max_electric_power };
    expect(powerWMaxOf({ evses: [{ ...evse!, connectors: [connector] }] })).toBe(watts);
  },
);
