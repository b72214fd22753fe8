import { z } from 'zod';
import { boundsText } from './bounds.ts';
import { unknownWord } from './words.ts';

type Issue = z.core.$ZodIssue;

/** What zod found wrong with a value, a sentence for each fault after its place. Never shows the value. */
export function faultsOf(
  schema: z.ZodType, value: unknown, issues: readonly Issue[], where: (path: string) => string,
): string[] {
  return issues.flatMap((issue) => said(schema, value, issue).map((message) => `${where(pathText(value, issue.path))}: ${message}`));
}

function said(schema: z.ZodType, value: unknown, issue: Issue): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(shapeOf(schemaAt(schema, issue.path)) ?? {});
    return issue.keys.map((key) => unknownWord('unknown word', key, known));
  }
  const given = valueAt(value, issue.path);
  if (given === undefined) return ['is missing'];
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return [`must be ${kindText(issue.expected)}, not ${kindText(kindOf(given))}`];
  return [issue.message.startsWith('Too ') ? boundsText(issue) ?? issue.message : issue.message];
}

/** `0.evses.1.uid` with the ids of what is counted: `0 (SITE-1).evses.1 (2).uid`. */
export function pathText(value: unknown, path: readonly PropertyKey[]): string {
  return path.map((key, index) => {
    const item = valueAt(value, path.slice(0, index + 1));
    const name = typeof key === 'number' ? nameOf(item) : undefined;
    return name === undefined ? String(key) : `${String(key)} (${name})`;
  }).join('.');
}

function nameOf(item: unknown): string | undefined {
  for (const key of ['id', 'uid', 'email', 'station', 'party_id']) {
    const name = valueAt(item, [key]);
    if (typeof name === 'string' && name !== '') return name;
  }
  return undefined;
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list',
  object: 'a section', null: 'empty',
};
const kindText = (kind: string): string => KINDS[kind] ?? kind;

/** Fields that an object of OCPI does not have, anywhere in it: its schemas keep what they do not know. */
export function unknownFields(schema: z.ZodType, value: unknown, path: readonly PropertyKey[] = []): Unknown[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) {
    const items: unknown[] = Array.isArray(value) ? value : [];
    return items.flatMap((item, index) => unknownFields(inner.element as z.ZodType, item, [...path, index]));
  }
  const shape = shapeOf(inner);
  if (shape === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, field]) => {
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (known !== undefined) return unknownFields(known as z.ZodType, field, [...path, key]);
    return [{ path, word: key, known: Object.keys(shape) }];
  });
}

export interface Unknown {
  readonly path: readonly PropertyKey[];
  readonly word: string;
  readonly known: readonly string[];
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema;
  for (const key of path) {
    const inner: z.ZodType | undefined = at && unwrapped(at);
    at = inner instanceof z.ZodArray ? (inner.element as z.ZodType) : (shapeOf(inner)?.[String(key)] as z.ZodType);
  }
  return at;
}

function shapeOf(schema: z.ZodType | undefined): z.ZodRawShape | undefined {
  const inner = schema && unwrapped(schema);
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}

function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in as z.ZodType);
  const wraps = [z.ZodOptional, z.ZodNullable, z.ZodDefault, z.ZodPrefault].some((kind) => schema instanceof kind);
  return wraps ? unwrapped((schema as z.ZodOptional).unwrap() as z.ZodType) : schema;
}
