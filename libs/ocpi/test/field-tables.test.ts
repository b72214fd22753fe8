import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type z } from 'zod';
import { issuesOf } from '../src/issues.ts';
import { classes, enums } from './catalogue.ts';

// Walks the protocol's field tables, where the machine has them beside the repository, and proves that
// every class, field, cardinality, type, length and enum value is what the schemas say.

interface Fact {
  readonly type: string;
  readonly card: '1' | '?' | '*' | '+';
  readonly max?: number;
  readonly max_digits?: number;
}
interface Facts {
  readonly classes: Record<string, Record<string, Fact>>;
  readonly enums: Record<string, string[]>;
  readonly regex: Record<string, string>;
}

const file = fileURLToPath(new URL('../../../../shared/ocpi/fields.json', import.meta.url));
const nothing: Facts = { classes: {}, enums: {}, regex: {} };
const facts: Facts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : nothing;

/** Where the schemas differ from the tables on purpose: values of later versions are kept (TYP-08, VER-06). */
const openFields = new Set([
  'Version.version', 'VersionDetails.version', 'Endpoint.identifier', 'Location.parking_type', 'Location.facilities',
  'EVSE.capabilities', 'EVSE.parking_restrictions', 'Token.default_profile_type',
]);
/** A Location's whole address is taken in a CDR (D18). */
const longerFields = new Map([['CdrLocation.address', 255], ['CdrLocation.state', 45]]);

const fixedForms: Record<string, string> = {
  country_code: 'CA', party_id: 'BCT', country: 'CAN', currency: 'CAD', language: 'en', latitude: '49.248809',
  longitude: '-123.115310', start_time: '08:00', end_time: '22:30', start_date: '2022-02-01', end_date: '2022-03-01',
  'Credentials.token': 't-0', 'RegularHours.period_begin': '08:00', 'RegularHours.period_end': '22:30',
};
const formOf = (name: string, field: string) => fixedForms[`${name}.${field}`] ?? fixedForms[field];

const one: Record<string, unknown> = {
  number: 1.5, int: 1, boolean: true, URL: 'https://oasis.example/', DateTime: '2022-02-01T17:00:00Z',
};

const isList = (fact: Fact) => fact.card === '*' || fact.card === '+';

/** A valid value of a field; nested classes have their required fields only. */
function sample(name: string, field: string, fact: Fact): unknown {
  const value = fact.type in facts.classes ? minimal(fact.type)
    : facts.enums[fact.type]?.[0] ?? one[fact.type] ?? formOf(name, field) ?? 'x';
  return isList(fact) ? [value] : value;
}

/** What a rule over several fields wants beside the required ones. */
const wanted: Record<string, Record<string, unknown>> = {
  PublishTokenType: { group_id: 'G', type: 'RFID', issuer: 'Carbon Plunk' },
  CdrDimension: { type: 'ENERGY' },
  StartSession: { evse_uid: 'E1' },
};

function minimal(name: string): Record<string, unknown> {
  const required = Object.entries(facts.classes[name]!).filter(([, { card }]) => card === '1' || card === '+');
  const object = Object.fromEntries(required.map(([field, fact]) => [field, sample(name, field, fact)]));
  if (name === 'CDR') Object.assign(object, { credit: true, credit_reference_id: 'x' }); // Only these have long ids.
  if (name === 'ActiveChargingProfileResult') object['profile'] = minimal('ActiveChargingProfile');
  return { ...object, ...wanted[name] };
}

function says(schema: z.ZodType, value: unknown): string {
  const result = schema.safeParse(value);
  return result.success ? 'valid' : issuesOf(result.error);
}

// because the tables lie beside the repository: where they are not at hand nothing is compared, and the run says so
test.skipIf(facts === nothing)('the classes and enums are those of the tables: read where ../shared/ocpi/fields.json is at hand', () => {
  expect(Object.keys(classes).sort()).toEqual(Object.keys(facts.classes).sort());
  const named = Object.entries(facts.enums).filter(([name]) => !name.endsWith('_session_only'));
  const ours = Object.entries(enums).map(([name, { options }]) => [name, options]);
  expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(named));
});

for (const [name, table] of Object.entries(facts.classes)) {
  const schema = (classes as unknown as Record<string, z.ZodObject>)[name]!;
  test(`${name} has the fields, cardinalities, types and lengths of its table`, () => {
    expect(Object.keys(schema.shape).sort()).toEqual(Object.keys(table).sort());
    expect(says(schema, minimal(name))).toBe('valid');
    expect(schema.parse({ ...minimal(name), later: { a: [1] } })).toMatchObject({ later: { a: [1] } });
    for (const [field, fact] of Object.entries(table)) {
      checkCardinality(schema, name, field, fact);
      checkType(schema, name, field, fact);
    }
  });
}

function checkCardinality(schema: z.ZodObject, name: string, field: string, fact: Fact): void {
  const where = `${name}.${field}`;
  const given = (value: unknown) => says(schema, { ...minimal(name), [field]: value });
  const { [field]: _, ...without } = minimal(name);
  expect(given(sample(name, field, fact)), where).toBe('valid');
  expect(given([[1]]), where).toMatch(field);
  if (fact.card === '+') expect(given([]), where).toMatch('at least one');
  if (fact.card === '*') expect(given([]), where).toBe('valid');
  if (fact.card === '1' || fact.card === '+') {
    expect(says(schema, without), where).toMatch(new RegExp(`${field}: (.*missing|must be)`));
    expect(given(null), where).toMatch(field);
    return;
  }
  expect(schema.shape[field]!.safeParse(undefined).success, where).toBe(true);
  if (name in wanted || name === 'CDR' || field === 'profile') return; // A rule may want it.
  expect(schema.parse({ ...minimal(name), [field]: null }), where).not.toHaveProperty(field);
}

function checkType(schema: z.ZodObject, name: string, field: string, fact: Fact): void {
  const where = `${name}.${field}`;
  const given = (value: unknown) => says(schema, { ...minimal(name), [field]: isList(fact) ? [value] : value });
  const values = facts.enums[fact.type];
  if (values) {
    for (const value of values) expect(given(value), `${where} ${value}`).toBe('valid');
    if (openFields.has(where)) expect(given('X_LATER'), where).toBe('valid');
    else expect(given('X_LATER'), where).toMatch(`unknown ${fact.type} "X_LATER"`);
    return;
  }
  if (fact.type === 'number') expect(given('1.5'), where).toMatch('must be a JSON number');
  if (fact.type === 'int') expect(given(1.5), where).toMatch('whole number');
  if (fact.max_digits) expect(given(10 ** fact.max_digits), where).toMatch(field);
  if (fact.type === 'boolean') expect(given('true'), where).toMatch('must be true or false');
  if (fact.type === 'DateTime') expect(given('2022-02-01 17:00:00'), where).toMatch('DateTime');
  else if (fact.max) checkLength(given, where, fact, formOf(name, field) !== undefined);
}

function checkLength(given: (value: unknown) => string, where: string, fact: Fact, isFixedForm: boolean): void {
  const max = longerFields.get(where) ?? fact.max!;
  const longText = (length: number) => (fact.type === 'URL' ? 'https://oasis.example/' : '').padEnd(length, 'x');
  if (isFixedForm) {
    expect(given(longText(max + 1)), where).toMatch(/must be/);
    return;
  }
  expect(given(longText(max)), where).toBe('valid');
  expect(given(longText(max + 1)), where).toMatch(`longer than ${max} characters`);
  if (fact.type === 'CiString') expect(given('é'), where).toMatch('printable ASCII');
}

test('the patterns take what the tables\' patterns take', () => {
  const probes = [
    '49.248809', '49.24', '-123.115310', '1234.56789', '00:00', '23:59', '24:00', '8:00', '2022-02-01', '2022-13-01',
    '22-02-01', '2022-02-01T17:00:00.123Z', '2022-02-01T17:00:00', '2022-02-01T17:00Z', '2022-02-01T17:00:00-08:00',
  ];
  const schemas: Record<string, z.ZodType> = {
    'GeoLocation.latitude': classes.GeoLocation.shape.latitude,
    'GeoLocation.longitude': classes.GeoLocation.shape.longitude,
    'HH:MM': classes.TariffRestrictions.shape.start_time,
    date: classes.TariffRestrictions.shape.start_date,
    DateTime: classes.Tariff.shape.last_updated,
  };
  for (const [name, form] of Object.entries(facts.regex)) {
    const takes = (probe: string) => schemas[name]?.safeParse(probe).success ?? new RegExp(form).test(probe);
    for (const probe of probes) expect(takes(probe), `${name} ${probe}`).toBe(new RegExp(form).test(probe));
  }
});
