import type { z } from 'zod';

/**
 * Whether a value is valid just as it is: nothing of it is refused, left out or changed. It says no more than
 * yes or no, allocates nothing and takes a tenth of the time of the schema, which alone knows what is wrong.
 */
export type AsIs = (value: unknown) => boolean;

const known = new WeakMap<z.ZodType, AsIs>();

/** The test that says of every value what the schema would. */
export function asIs<T extends z.ZodType>(schema: T, test: AsIs): T {
  known.set(schema, test);
  return schema;
}

/** Undefined for a schema that has none: it was made of other things than the kinds of `fields.ts`. */
export function asIsOf(schema: z.ZodType): AsIs | undefined {
  return known.get(schema);
}

/** Of a schema that was made of another one, whose test it needs. */
export function asIsWhere<T extends z.ZodType>(schema: T, of: z.ZodType, test: (ofIt: AsIs) => AsIs): T {
  const ofIt = known.get(of);
  return ofIt === undefined ? schema : asIs(schema, test(ofIt));
}

/** Of a class: `shape` has all its fields that are looked at, any others are kept. */
export function objectAsIs<T extends z.ZodType>(schema: T, shape: z.ZodRawShape): T {
  const names = Object.keys(shape);
  const tests = names.map((name) => known.get(shape[name] as z.ZodType));
  if (!tests.every((test) => test !== undefined)) return schema;
  return asIs(schema, (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const fields = value as Record<string, unknown>;
    for (let n = 0; n < names.length; n += 1) if (!tests[n]!(fields[names[n]!])) return false;
    // zod leaves out what JSON may name so.
    return !Object.hasOwn(value, '__proto__');
  });
}

export function listAsIs<T extends z.ZodType>(schema: T, item: z.ZodType, least: number): T {
  return asIsWhere(schema, item, (isItem) => (value) => {
    if (!Array.isArray(value) || value.length < least) return false;
    for (let n = 0; n < value.length; n += 1) if (!isItem(value[n])) return false;
    return true;
  });
}
