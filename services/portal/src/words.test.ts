import { expect, test } from 'vitest';
import { z } from 'zod';
import { wordsFor } from './words.ts';

test.each([
  [z.string().length(3), 'EU', 'exactly 3 characters are needed'],
  [z.string().min(1).max(36), '', 'at least 1 character is needed'],
  [z.string().max(36), 'x'.repeat(37), 'at most 36 characters are allowed'],
  [z.array(z.string()).min(1), [], 'at least 1 is needed'],
  [z.int().min(0), -1, 'from 0 on'],
  [z.number().gt(0), 0, 'more than 0'],
  [z.int().max(28), 29, 'at most 28'],
  [z.literal('true'), 'maybe', 'has to be true'],
  [z.enum(['json', 'csv']), 'xls', 'is one of json, csv'],
  [z.string(), 7, 'has to be a text, not a number'],
])('what a schema has no words of its own for is said plainly: %#', (schema: z.ZodType, given, said) => {
  expect(schema.safeParse(given, { error: wordsFor }).error?.issues.map(({ message }) => message)).toEqual([said]);
});
