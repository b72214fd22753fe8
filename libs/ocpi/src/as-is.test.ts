import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { asIsOf } from './as-is.ts';
import { Cdr } from './cdrs.ts';
import { exampleCdr, exampleTariff } from './examples.ts';
import { GeoLocation } from './locations.ts';
import { read, readAsIs } from './issues.ts';
import { Tariff } from './tariffs.ts';

const GIVEN = { Cdr: [Cdr, exampleCdr], Tariff: [Tariff, exampleTariff] } as const satisfies Record<string, readonly [z.ZodType, object]>;

/** What may stand in JSON where something else is expected, the edges of every kind among it. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    '.',
    '..',
    '#NA',
    'CA',
    'CAN',
    'ENERGY',
    'DC',
    'é',
    '\u0007',
    '\ud800',
    'x'.repeat(36),
    'x'.repeat(37),
    'x'.repeat(256),
  ),
  fc.constantFrom<unknown>(0, -0, 1, -1, 0.5, 1e15, 1e16, 1e-20, 1e-21, 2 ** 53, [], {}, true, false),
  fc.constantFrom<unknown>(
    '2022-02-30T17:00:00Z',
    '2022-02-01T17:00:00Z',
    '2022-02-01T17:00:00',
    '2022-02-01',
    '24:00',
    '23:59',
    '49.00000',
    '99.00000',
    'https://a.example',
    'ftp://a',
  ),
  fc.jsonValue({ maxDepth: 1 }),
);

/** A place in a value, by numbers that are taken modulo what there is, and what is done there. */
const change = fc.record({
  path: fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }),
  how: fc.constantFrom('set', 'delete', 'add'),
  value: anything,
});

function changed(value: unknown, { path, how, value: put }: { path: readonly number[]; how: string; value: unknown }): void {
  let at = value as Record<string, unknown>;
  for (const [n, step] of path.entries()) {
    const names = Object.keys(at);
    const name = names[step % names.length];
    if (name === undefined) return;
    const next = at[name];
    if (n < path.length - 1 && typeof next === 'object' && next !== null) {
      at = next as Record<string, unknown>;
      continue;
    }
    if (how === 'delete') delete at[name];
    else at[how === 'add' ? 'of_a_partner' : name] = put;
    return;
  }
}

test.for(Object.entries(GIVEN))(
  'what is valid as it is, the schema of a %s leaves as it is; what is not, it refuses or changes',
  ([, [schema, given]]) => {
    const isAsIs = asIsOf(schema)!;
    expect(isAsIs(given)).toBe(true);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const made = structuredClone(given);
        for (const one of changes) changed(made, one);
        const text = JSON.stringify(made);
        const value: unknown = JSON.parse(text);
        const reading = read(schema, JSON.parse(text));
        expect(isAsIs(value)).toBe(reading.ok && isDeepStrictEqual(reading.value, value));
      }),
      { numRuns: 3_000 },
    );
  },
);

test('a null of an optional field is left out, and a name that would be no field too', () => {
  const nulled = { ...exampleCdr, remark: null };
  expect(readAsIs(Cdr, nulled)).toEqual({ ok: true, value: exampleCdr });
  const odd = JSON.parse(`{"latitude":"49.00000","longitude":"-123.00000","__proto__":{"x":1}}`) as object;
  const reading = readAsIs(GeoLocation, odd);
  expect(reading.ok && Object.keys(reading.value)).toEqual(['latitude', 'longitude']);
});

test('what is not valid is refused in the words of the schema', () => {
  const wrong = { ...exampleCdr, currency: 'dollars' };
  expect(readAsIs(Cdr, wrong)).toEqual(read(Cdr, wrong));
});
