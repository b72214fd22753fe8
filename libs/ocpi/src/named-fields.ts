import type { z } from 'zod';

interface Naming {
  /** Whether it has no other fields: of nearly all values it has none, and nothing is allocated to see it. */
  isAll(value: unknown): boolean;
  /** The value without them. */
  only(value: unknown): unknown;
}

const known = new WeakMap<z.ZodType, { readonly naming: Naming | undefined }>();

/**
 * What of a valid value its schema names: fields of a sender's own, which may say anything, are left out
 * wherever they stand. What has none of them is not copied.
 */
export function namedFields<T extends z.ZodType>(schema: T, value: z.output<T>): z.output<T> {
  const naming = namingOf(schema);
  return (naming === undefined || naming.isAll(value) ? value : naming.only(value)) as z.output<T>;
}

/** Undefined where there is nothing inside. */
function namingOf(schema: z.ZodType): Naming | undefined {
  const before = known.get(schema);
  if (before !== undefined) return before.naming;
  const naming = namingBy(schema);
  known.set(schema, { naming });
  return naming;
}

function namingBy({ def }: z.ZodType): Naming | undefined {
  const { type, innerType, element, shape } = def as {
    readonly type: string; readonly innerType?: z.ZodType; readonly element?: z.ZodType; readonly shape?: z.ZodRawShape;
  };
  if (innerType) return namingOf(innerType);
  if (type === 'array' && element) return ofList(namingOf(element));
  return type === 'object' && shape ? ofObject(shape) : undefined;
}

function ofList(item: Naming | undefined): Naming | undefined {
  if (item === undefined) return undefined;
  return {
    isAll(value) {
      if (!Array.isArray(value)) return true;
      for (let n = 0; n < value.length; n += 1) if (!item.isAll(value[n])) return false;
      return true;
    },
    only: (value) => (Array.isArray(value) ? value.map((one) => item.only(one)) : value),
  };
}

function ofObject(shape: z.ZodRawShape): Naming {
  const fields = new Map(Object.entries(shape).map(([name, schema]) => [name, namingOf(schema as z.ZodType) ?? LEAF]));
  return {
    isAll(value) {
      if (typeof value !== 'object' || value === null) return true;
      for (const name in value) {
        const field = fields.get(name);
        if (field === undefined) return false;
        if (field !== LEAF && !field.isAll((value as Record<string, unknown>)[name])) return false;
      }
      return true;
    },
    only(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      const own = Object.entries(value).filter(([name]) => fields.has(name));
      return Object.fromEntries(own.map(([name, given]) => [name, fields.get(name)!.only(given)]));
    },
  };
}

const LEAF: Naming = { isAll: () => true, only: (value) => value };
