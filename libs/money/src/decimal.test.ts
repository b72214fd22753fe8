import { Decimal as Oracle } from 'decimal.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal } from './decimal.ts';
import { decimal, InvalidDecimal, max, min, sum } from './parse.ts';
import type { Rounding } from './rounding.ts';

// decimal.js is the oracle only: wide enough that it never rounds by itself here.
Oracle.set({ precision: 400, toExpNeg: -400, toExpPos: 400 });

// Small, around the edge of the safe integers, and far beyond it.
const coefficient = fc.oneof(
  fc.bigInt({ min: -1_000_000n, max: 1_000_000n }),
  fc.bigInt({ min: -20n, max: 20n }).map((n) => n + 2n ** 53n),
  fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
);
const digits = fc.tuple(coefficient, fc.integer({ min: 0, max: 18 }));
const value = digits.map(([coefficient, scale]) => Decimal.of(coefficient, scale));
const oracle = (d: Decimal) =>
  new Oracle(d.coefficient.toString()).div(new Oracle(10).pow(d.scale));
const runs = { numRuns: 2_000, verbose: 1 };

const MODES: Record<Rounding, Oracle.Rounding> = {
  'half-away-from-zero': Oracle.ROUND_HALF_UP,
  'half-even': Oracle.ROUND_HALF_EVEN,
  'away-from-zero': Oracle.ROUND_UP,
  'toward-zero': Oracle.ROUND_DOWN,
  ceiling: Oracle.ROUND_CEIL,
  floor: Oracle.ROUND_FLOOR,
};
const mode = fc.constantFrom(...(Object.keys(MODES) as Rounding[]));
const text = (o: Oracle) => (o.isZero() ? '0' : o.toFixed());

test('sums, differences, products and comparisons are those of decimal.js', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(a.add(b).toString()).toBe(text(oracle(a).add(oracle(b))));
      expect(a.sub(b).toString()).toBe(text(oracle(a).sub(oracle(b))));
      expect(a.shift(3).shift(-5).toString()).toBe(text(oracle(a).div(100)));
      expect(a.mul(b).toString()).toBe(text(oracle(a).mul(oracle(b))));
      expect(Math.sign(a.compare(b))).toBe(oracle(a).comparedTo(oracle(b)));
    }),
    runs,
  );
});

test('every way of rounding is that of decimal.js, also of a quotient', () => {
  fc.assert(
    fc.property(value, value, fc.integer({ min: 0, max: 12 }), mode, (a, b, decimals, how) => {
      expect(a.roundTo(decimals, how).toString()).toBe(
        text(oracle(a).toDecimalPlaces(decimals, MODES[how])),
      );
      if (b.isZero()) return;
      const quotient = oracle(a).div(oracle(b)).toDecimalPlaces(decimals, MODES[how]);
      expect(a.divide(b, decimals, how).toString()).toBe(text(quotient));
    }),
    runs,
  );
});

test('the remainder of a step is what is left above its multiple toward zero', () => {
  fc.assert(
    fc.property(
      value,
      fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 9n }), fc.integer({ min: 0, max: 6 })),
      (a, [c, s]) => {
        const step = Decimal.of(c, s);
        expect(a.remainder(step).toString()).toBe(text(oracle(a).mod(oracle(step))));
      },
    ),
    runs,
  );
});

test('a JS number stands for its shortest decimal text', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const short = fc
    .tuple(fc.integer(), fc.integer({ min: 0, max: 9 }))
    .map(([n, d]) => Number(`${n}e-${d}`));
  fc.assert(
    fc.property(fc.oneof(short, number), (n) => {
      expect(decimal(n).toString()).toBe(text(new Oracle(String(n))));
      expect(Object.is(decimal(n).toJsonNumber(), n === 0 ? 0 : n)).toBe(true);
    }),
    runs,
  );
});

test('text is read as JSON writes numbers, and written canonically', () => {
  fc.assert(
    fc.property(value, (a) => {
      expect(decimal(a.toString()).equals(a)).toBe(true);
      expect(decimal(a.toFixed(a.scale)).equals(a)).toBe(true);
    }),
    runs,
  );
});

test.each([
  ['0.3500', '0.35'],
  ['-0', '0'],
  ['-0.0', '0'],
  ['1e3', '1000'],
  ['12E-4', '0.0012'],
  ['2.50e1', '25'],
  ['007.50', '7.5'],
  ['123456789012345678901234567890.5', '123456789012345678901234567890.5'],
  ['1e-400', `0.${'0'.repeat(399)}1`],
])('%s is read as %s', (from, to) => {
  expect(decimal(from).toString()).toBe(to);
});

test.each([
  '',
  '-',
  '.',
  '5.',
  '.5',
  '1,5',
  '+1',
  ' 1',
  '1 ',
  '0x10',
  'NaN',
  '1e',
  '--1',
  '1.2.3',
  '1e999999999',
  '9'.repeat(801),
])('%j is refused as a decimal', (bad) => {
  expect(() => decimal(bad)).toThrow(InvalidDecimal);
});

test.each([Number.NaN, Infinity, -Infinity, null, undefined, {}, true])(
  '%s is refused as a decimal',
  (bad) => {
    expect(() => decimal(bad as number)).toThrow(InvalidDecimal);
  },
);

test('0.1 + 0.2 is 0.3', () => {
  expect(decimal(0.1).add(decimal(0.2)).equals(decimal(0.3))).toBe(true);
  expect(sum([decimal('0.1'), decimal('0.2')]).toString()).toBe('0.3');
});

test('an amount crosses a boundary as a decimal string, or as a number if that is exact', () => {
  expect(JSON.stringify({ cost: decimal('5.50') })).toBe('{"cost":"5.5"}');
  expect(decimal('5.50').toJsonNumber()).toBe(5.5);
  expect(() => decimal('0.12345678901234567890').toJsonNumber()).toThrow(RangeError);
});

test('fixed text pads with zeros and never drops a digit', () => {
  expect(decimal('5.5').toFixed(2)).toBe('5.50');
  expect(decimal('-0.05').toFixed(2)).toBe('-0.05');
  expect(decimal('5').toFixed(0)).toBe('5');
  expect(() => decimal('5.125').toFixed(2)).toThrow(RangeError);
});

test('the smaller and the larger of two', () => {
  expect(min(decimal('0.30'), decimal('0.3')).toString()).toBe('0.3');
  expect(min(decimal(1), decimal(2)).toString()).toBe('1');
  expect(max(decimal(1), decimal(2)).toString()).toBe('2');
});

test('a coefficient is the same whether it came as a number or as a bigint, on both sides of the safe integers', () => {
  for (const n of [0n, 5n, -5n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n]) {
    const value = Decimal.of(n, 2);
    expect(value.coefficient).toBe(n);
    // Through numbers beyond the safe ones and back: not a unit is lost.
    expect(value.add(Decimal.of(2n ** 60n, 2)).sub(Decimal.of(2n ** 60n, 2))).toEqual(value);
    expect(value.mul(Decimal.of(-1)).mul(Decimal.of(-1))).toEqual(value);
  }
  expect(Decimal.of(0).neg()).toEqual(Decimal.zero);
  expect(Decimal.of(-7).remainder(Decimal.of(7))).toEqual(Decimal.zero);
  expect(() => Decimal.of(1.5)).toThrow(RangeError);
});
