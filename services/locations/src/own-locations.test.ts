import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameJson } from './own-locations.ts';

/** The members of all objects in the order of their names. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, ordered(member)]));
}
const text = (value: unknown) => JSON.stringify(ordered(value));
/** What JSON.parse gives. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const few = fc.letrec((tie) => ({
  value: fc.oneof(
    fc.constantFrom(0, 1, 'a', null, true),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('value'), { maxKeys: 2 }),
  ),
})).value;

test('two JSON values are the same where their texts are, but for the order of members', () => {
  fc.assert(fc.property(few, few, (a, b) => {
    expect(sameJson(a, b)).toBe(text(a) === text(b));
  }), { numRuns: 2_000 });
  fc.assert(fc.property(json, (value) => {
    expect(sameJson(value, JSON.parse(text(value)))).toBe(true);
  }));
});

test('a member that is undefined is none', () => {
  expect(sameJson({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameJson({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(sameJson({ a: undefined }, { b: undefined })).toBe(true);
  expect(sameJson({ a: undefined }, { a: null })).toBe(false);
});
