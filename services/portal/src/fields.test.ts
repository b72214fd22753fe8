import { expect, test } from 'vitest';
import { z } from 'zod';
import { between, Limit, numberText } from './fields.ts';

const refusals = (schema: z.ZodType, given: unknown) => schema.safeParse(given).error?.issues.map(({ message }) => message) ?? [];

test.each(['0', '1000', 'many', '0x10', '1.5'])('a limit of %s is refused with its bounds', (given) => {
  expect(refusals(Limit(100, 50), given)).toEqual(['a whole number from 1 to 100']);
});

test('a limit that is not given is the usual one', () => {
  expect([Limit(100, 50).parse(undefined), Limit(100, 50).parse('100')]).toEqual([50, 100]);
});

test('a latitude beyond the poles is refused with its bounds', () => {
  const latitude = numberText(between(z.number('a number from -90 to 90'), -90, 90, 'a number').optional());
  for (const given of ['999', '-90.5', 'north']) expect(refusals(latitude, given)).toEqual(['a number from -90 to 90']);
  expect([latitude.parse('-90'), latitude.parse(undefined)]).toEqual([-90, undefined]);
});
