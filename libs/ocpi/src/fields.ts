import { z } from 'zod';
import { asIs, asIsWhere, listAsIs, objectAsIs } from './as-is.ts';

// The kinds of fields that OCPI's classes are made of. Every kind words its own refusal: `issuesOf`
// only adds where. Optional fields take null as absent; unknown fields are kept. Beside each kind stands
// the test whether a value is valid as it is (`as-is.ts`).

type Raw = { readonly input?: unknown };

/** Up to 40 characters of a refused value, as JSON. */
function shown(value: unknown): string {
  const text = typeof value === 'object' && value !== null
    ? (Array.isArray(value) ? 'a list' : 'an object')
    : JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function not(kind: string) {
  return ({ input }: Raw) => (input === undefined
    ? `is missing, ${kind} is required`
    : `must be ${kind}, not ${shown(input)}`);
}

/** CiString(max): printable ASCII, compared without regard to case (`sameId`). TYP-01. */
export function ci(max: number) {
  const schema = z.string({ error: not(`a CiString(${max})`) })
    .max(max, { error: `is longer than ${max} characters` })
    .regex(printable, { error: 'holds a character that is not printable ASCII' });
  return asIs(schema, (value) => typeof value === 'string' && value.length <= max && printable.test(value));
}

const printable = /^[\x20-\x7e]*$/;

/**
 * A CiString that names an object: not empty, not the "#NA" that stands for no object (TRN-90), and no step
 * within a path, which nobody could ask for by a URL.
 */
export function id(max: number) {
  const any = ci(max);
  const schema = any
    .min(1, { error: 'is empty' })
    .refine((value) => value !== '#NA', { error: '"#NA" names nothing and is not allowed here' })
    .refine((value) => value !== '.' && value !== '..', { error: ({ input }) => `"${input as string}" cannot stand in a URL` });
  return asIsWhere(schema, any, (isCi) => (value) =>
    isCi(value) && value !== '' && value !== '#NA' && value !== '.' && value !== '..');
}

/** string(max): printable UTF-8, length in characters (an emoji is one). TYP-02. */
export function text(max: number) {
  const wrong = (value: string) => {
    const tooLong = value.length > max && [...value].length > max;
    return tooLong ? `is longer than ${max} characters`
      : control.test(value) ? 'holds a control character (line break, tab …)'
      : value.isWellFormed() ? undefined : 'holds half a surrogate pair';
  };
  const schema = z.string({ error: not(`a string(${max})`) }).check((ctx) => {
    const message = wrong(ctx.value);
    if (message) ctx.issues.push({ code: 'custom', message, input: ctx.value });
  }).meta({ maxLength: max });
  return asIs(schema, (value) => typeof value === 'string' && wrong(value) === undefined);
}

const control = /[\x00-\x1f\x7f]/;

/** A string of a fixed form. */
export function pattern(form: RegExp, kind: string) {
  const schema = z.string({ error: not(kind) }).regex(form, { error: not(kind) });
  return asIs(schema, (value) => typeof value === 'string' && form.test(value));
}

/** Those strings of a kind alone that fit. */
export function only(schema: z.ZodString, fits: (value: string) => boolean, error: string | ((raw: Raw) => string)): z.ZodString {
  return asIsWhere(schema.refine(fits, { error }), schema, (isSchema) => (value) => isSchema(value) && fits(value as string));
}

export const CountryCode = pattern(/^[A-Za-z]{2}$/, 'an ISO 3166-1 alpha-2 country code');
export const PartyId = pattern(/^[A-Za-z0-9]{1,3}$/, 'a party id of at most 3 letters or digits');
export const Country = pattern(/^[A-Za-z]{3}$/, 'an ISO 3166-1 alpha-3 country');
export const Currency = pattern(/^[A-Za-z]{3}$/, 'an ISO 4217 currency');
export const Language = pattern(/^[A-Za-z]{2}$/, 'an ISO 639-1 language');
export const TimeOfDay = pattern(/^([0-1][0-9]|2[0-3]):[0-5][0-9]$/, 'a time of day HH:MM');
export const LocalDate = pattern(
  /^([12][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/, 'a date YYYY-MM-DD');

/** URL(255), absolute http or https. TYP-06. */
export function url(max = 255) {
  return only(text(max), (value) => /^https?:\/\//i.test(value) && URL.canParse(value), not('an absolute http(s) URL'));
}

/** The year 0 is in no calendar that a database knows. Of fractional digits there may be as many as fit into 25 characters. */
const dateTimeForm = /^(?!0000)\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d(?:\.(?:\d{1,4}|\d{5}$))?(Z|\+00:00)?$/;

/**
 * The instant of an OCPI DateTime in milliseconds since 1970, or undefined when it is not one.
 * Always UTC, with or without `Z`; `+00:00` is against the letter and understood. TYP-03.
 */
export function instantMs(dateTime: string): number | undefined {
  const parts = dateTimeForm.exec(dateTime);
  if (!parts) return undefined;
  const ms = Date.parse(parts[1] === undefined ? `${dateTime}Z` : dateTime);
  if (Number.isNaN(ms)) return undefined;
  // V8 reads February 30th as March 2nd.
  const day = dateTime.slice(8, 10);
  return day > '28' && new Date(ms).getUTCDate() !== Number(day) ? undefined : ms;
}

/** DateTime, max 25 characters. The text is kept as it came; compare with `instantMs`. */
export const DateTime = asIs(
  z.string({ error: not('a DateTime') })
    .refine((value) => instantMs(value) !== undefined, {
      error: not('a DateTime such as 2022-02-01T17:00:00Z, in UTC'),
    })
    .meta({ format: 'date-time', maxLength: 25 }),
  (value) => typeof value === 'string' && instantMs(value) !== undefined,
);

/** An OCPI DateTime of an instant; with milliseconds only where there are any. TYP-03. */
export function dateTimeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

const LARGEST = 1e15;
const SMALLEST = 1e-20;

/**
 * A number of the protocol: an amount, a volume, a limit. Beyond these bounds it means nothing, and exact
 * reckoning would carry hundreds of digits of it.
 */
export const number = asIs(
  z.number({ error: not('a JSON number') }).refine(isMeant, {
    error: ({ input }) => `must be 0, or between ${SMALLEST} and ${LARGEST} without its sign, not ${input}`,
  }),
  (value) => typeof value === 'number' && isMeant(value),
);

function isMeant(value: number): boolean {
  return value === 0 || (Math.abs(value) <= LARGEST && Math.abs(value) >= SMALLEST);
}

export const boolean = asIs(z.boolean({ error: not('true or false') }), (value) => typeof value === 'boolean');
export const int = asIs(z.int({ error: not('a whole number') }), Number.isSafeInteger);
/** A whole number that counts something: never negative. */
export const count = asIs(
  int.min(0, { error: not('a whole number of at least 0') }),
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);

/** An enum of the protocol: closed and case-sensitive. TYP-08. */
export function enumOf<const V extends readonly [string, ...string[]]>(name: string, values: V) {
  const schema = z.enum(values, {
    error: ({ input }: Raw) => (input === undefined
      ? `is missing, a ${name} is required`
      : `unknown ${name} ${shown(input)}`),
  }).meta({ title: name });
  const all: ReadonlySet<unknown> = new Set(values);
  return asIs(schema, (value) => all.has(value));
}

/**
 * An enum that only describes (a facility, a capability): values of later versions are kept, so that
 * one of them never fails an object. `known` leaves those out that this version has.
 */
export function open<T extends string>(name: string, closed: z.ZodType<T>) {
  const loose = pattern(/^[\x20-\x7e]{1,255}$/, `a ${name}`);
  const schema = loose.meta({ title: name, examples: (closed as { options?: unknown[] }).options });
  return asIsWhere(schema, loose, (isLoose) => isLoose) as unknown as z.ZodType<T | (string & {})>;
}

/** The values of an open list that this version of OCPI knows. */
export function known<T extends string>(closed: z.ZodType<T>, values: readonly string[] | undefined): T[] {
  return (values ?? []).filter((value): value is T => closed.safeParse(value).success);
}

/**
 * A class of the protocol. Its type is closed; at run time fields that 2.2.1 does not know are kept
 * (TRN-17), and optional fields that are null are left out.
 */
export function object<S extends z.ZodRawShape>(name: string, shape: S): z.ZodObject<S, z.core.$strip> {
  const optionals = Object.keys(shape).filter((key) => shape[key] instanceof z.ZodOptional);
  const withoutNulls = (value: Record<string, unknown>) => {
    for (const key of optionals) if (value[key] === null) delete value[key];
    return value;
  };
  const loose = z.looseObject(shape, { error: not(`a ${name} object`) });
  const schema = optionals.length > 0 ? loose.overwrite(withoutNulls as never) : loose;
  return objectAsIs(schema.meta({ title: name }), shape) as unknown as z.ZodObject<S, z.core.$strip>;
}

/** Cardinality `?`: absent, null, or a value. */
export function optional<T extends z.ZodType>(schema: T): z.ZodOptional<T> {
  const absent = schema.nullish() as unknown as z.ZodOptional<T>;
  return asIsWhere(absent, schema, (isValue) => (value) => value === undefined || isValue(value));
}

/** Cardinality `*`: absent, null, empty, or a list. */
export function list<T extends z.ZodType>(item: T): z.ZodOptional<z.ZodArray<T>> {
  return optional(listAsIs(z.array(item, { error: not('a list') }), item, 0));
}

/** Cardinality `+`: at least one. */
export function some<T extends z.ZodType>(item: T) {
  return listAsIs(z.array(item, { error: not('a list') }).min(1, { error: 'must hold at least one' }), item, 1);
}

export type Patch<T> = { [K in keyof T]?: T[K] } & { last_updated: string };

/**
 * What a PATCH of a class may hold: any of its fields, and its new last_updated (TRN-61, TRN-62). null
 * means no change, for required fields too: a PATCH cannot remove information (LOC-32, TRN-64).
 */
export function patchOf<S extends z.ZodRawShape>(
  name: string, schema: z.ZodObject<S>, own: z.ZodRawShape = {},
): z.ZodType<Patch<z.output<z.ZodObject<S>>>> {
  const shape = Object.fromEntries(Object.entries(schema.shape).map(([key, field]) => {
    const given = own[key] ?? field;
    return [key, given instanceof z.ZodOptional || key === 'last_updated' ? given : optional(given as z.ZodType)];
  }));
  return object(`PATCH of ${name}`, shape) as unknown as z.ZodType<Patch<z.output<z.ZodObject<S>>>>;
}

/** Adds a rule over several fields of a class: `rule` names the field and what is wrong, or undefined. */
export function ruled<T extends z.ZodType>(
  schema: T, rule: (value: z.output<T>) => readonly [path: string, message: string] | undefined,
): T {
  const checked = schema.check((ctx) => {
    const broken = rule(ctx.value as z.output<T>);
    if (!broken) return;
    const [field, message] = broken;
    ctx.issues.push({ code: 'custom', message, path: [field], input: ctx.value });
  }) as T;
  return asIsWhere(checked, schema, (isSchema) => (value) => isSchema(value) && rule(value as z.output<T>) === undefined);
}

/** Price: amounts in the currency of the object that holds it. TYP-05. */
export const Price = object('Price', { excl_vat: number, incl_vat: optional(number) });
export type Price = z.infer<typeof Price>;

export const DisplayText = object('DisplayText', { language: Language, text: text(512) });
export type DisplayText = z.infer<typeof DisplayText>;

export const Role = enumOf('Role', ['CPO', 'EMSP', 'HUB', 'NAP', 'NSP', 'OTHER', 'SCSP']);
export type Role = z.infer<typeof Role>;
