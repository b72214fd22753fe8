import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal } from '#money';
import { parseExact } from './exact-json.ts';

test.each([
  ['0.1', 0.1],
  ['123456789012345', 123456789012345],
  ['9007199254740993', '9007199254740993'],
  ['1234567890123456.7', '1234567890123456.7'],
  ['0.12345678901234567', '0.12345678901234567'],
  ['0.10000000000000000000', 0.1],
  ['1e3', 1000],
  ['1.5E-7', 1.5e-7],
  ['1e400', '1e400'],
  ['-9007199254740993', '-9007199254740993'],
])('%s is read as %s', (text, value) => {
  for (const around of [`{"a":${text}}`, `{"a": ${text}\n}`, `{"b":"x","a":${text},"c":1}`]) {
    expect((parseExact(around) as { a: unknown }).a).toBe(value);
  }
  expect(parseExact(`[1,${text}]`)).toEqual([1, value]);
});

test('no digit of a number is lost (2,000 numbers)', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?(e[+-]?\d{1,2})?$/);
  fc.assert(
    fc.property(digits, (text) => {
      const { a } = parseExact(`{"a":${text}}`) as { a: number | string };
      expect(decimal(a).equals(decimal(text))).toBe(true);
    }),
    { numRuns: 2_000, seed: 20_220_201 },
  );
});
