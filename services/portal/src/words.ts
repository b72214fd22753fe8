import type { z } from 'zod';
import { boundsText } from '#settings';

const SHOWN_KEYS = 3;

/** Where a schema has no words of its own for what is wrong. */
export function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') {
    return `has no ${issue.keys
      .slice(0, SHOWN_KEYS)
      .map((key) => `"${key.slice(0, 40)}"`)
      .join(', ')}; /openapi.json lists what there is`;
  }
  if (issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_value') return `${issue.values.length > 1 ? 'is one of' : 'has to be'} ${issue.values.map(String).join(', ')}`;
  if (issue.code !== 'invalid_type') return boundsText(issue);
  return `has to be ${KINDS[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return KINDS['array']!;
  return KINDS[typeof value] ?? typeof value;
}
