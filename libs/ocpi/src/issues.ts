import type { z } from 'zod';
import { asIsOf } from './as-is.ts';

const shownAtMost = 3;

/**
 * What a schema refused, as one sentence for the partner: where and which rule, of up to three faults.
 * `evses[0].connectors[1].standard: unknown ConnectorType "X" (OCPI 2.2.1)`.
 */
export function issuesOf(error: z.ZodError, version = '2.2.1'): string {
  const shown = error.issues.slice(0, shownAtMost).map(({ path, message }) => {
    const where = pathText(path);
    return where === '' ? message : `${where}: ${message}`;
  });
  const more = error.issues.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''} (OCPI ${version})`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('').replace(/^\./, '');
}

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

/** Parses a value by a schema; a refusal is one sentence for status code 2001. */
export function read<T extends z.ZodType>(schema: T, value: unknown, version = '2.2.1'): Reading<z.output<T>> {
  const result = schema.safeParse(value);
  return result.success ? { ok: true, value: result.data } : { ok: false, message: issuesOf(result.error, version) };
}

/**
 * As `read`, but what is valid as it is is not copied: it is the value given, its fields in the order that its sender
 * gave them. For whoever neither changes the value nor compares texts of it.
 */
export function readAsIs<T extends z.ZodType>(schema: T, value: unknown): Reading<z.output<T>> {
  if (asIsOf(schema)?.(value)) return { ok: true, value: value as z.output<T> };
  return read(schema, value);
}
