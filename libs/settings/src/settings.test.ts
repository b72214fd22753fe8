import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readSettings } from './settings.ts';
import { sectionNames } from './words.ts';

const dir = mkdtempSync(join(tmpdir(), 'roamwatt-settings-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const yaml = `
party: { country_code: CA, party_id: BCT, name: Energy OASIS, roles: [CPO] }
stations: [ { id: OASIS-L2-01 } ]
`;

function environment(text: string, more: Record<string, string | undefined> = {}) {
  const file = join(dir, 'roamwatt.yaml');
  writeFileSync(file, text);
  return {
    ROAMWATT_PLATFORM: 'oasis',
    DATABASE_URL: 'postgres://localhost/oasis',
    NATS_URL: 'nats://localhost:4222',
    ROAMWATT_CONFIG: file,
    ...more,
  };
}

test('a platform is read from its environment and its file', () => {
  const settings = readSettings(environment(yaml));
  expect(settings.party).toMatchObject({ party_id: 'BCT', currency: 'CAD' });
  expect(settings.databaseAdminUrl).toBe('postgres://localhost/oasis');
  expect(settings.list('stations', z.object({ id: z.string() }))).toEqual([{ id: 'OASIS-L2-01' }]);
});

test('a list that is absent is empty, and one that is no list is refused', () => {
  const settings = readSettings(environment(`${yaml}tariffs: none`));
  expect(settings.list('locations', z.string())).toEqual([]);
  expect(() => settings.list('tariffs', z.string())).toThrow(/roamwatt\.yaml: tariffs/);
});

test('a variable that is missing is named', () => {
  expect(() => readSettings(environment(yaml, { NATS_URL: undefined }))).toThrow(/environment variable NATS_URL/);
});

test('a wrong setting is named with its path in the file', () => {
  const settings = readSettings(environment(yaml));
  expect(() => settings.list('stations', z.object({ password: z.string() }))).toThrow(
    /roamwatt\.yaml: stations\.0 \(OASIS-L2-01\)\.password: is missing/,
  );
});

test('everything that is wrong is told at once, in words, without what was given', () => {
  const settings = readSettings(environment(`${yaml}drivers: [{ password: 123456 }, { email: sam@example.com, pasword: x }]`));
  const driver = z.strictObject({ email: z.string(), password: z.string() });
  let said = '';
  try {
    settings.list('drivers', driver);
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said.split('\n').map((line) => line.replace(/.*roamwatt\.yaml: /, ''))).toEqual([
    'drivers.0.email: is missing',
    'drivers.0.password: must be text, not a number',
    'drivers.1 (sam@example.com).password: is missing',
    'drivers.1 (sam@example.com): unknown word "pasword"; did you mean "password"?',
  ]);
});

test('every variable that is missing is named', () => {
  const missing = environment(yaml, { NATS_URL: undefined, DATABASE_URL: undefined });
  expect(() => readSettings(missing)).toThrow('environment variable DATABASE_URL: is missing\nenvironment variable NATS_URL: is missing');
});

test.each([
  ['portall', 'portal'], ['site', 'sites'], ['tarifs', 'tariffs'], ['Locations', 'locations'], ['ocip', 'ocpi'],
])('a section that nobody reads is refused: %s', (wrong, right) => {
  expect(() => readSettings(environment(`${yaml}${wrong}: []`))).toThrow(`unknown section "${wrong}"; did you mean "${right}"?`);
});

test('a section of a service that is hosted elsewhere is no mistake', () => {
  const all = sectionNames.filter((name) => !['party', 'stations'].includes(name)).map((name) => `${name}: []`).join('\n');
  expect(() => readSettings(environment(yaml + all))).not.toThrow();
});

test('the known sections are those that services read', () => {
  const services = join(import.meta.dirname, '../../../services');
  const read = readdirSync(services, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .flatMap((path) => [...readFileSync(join(services, path), 'utf8').matchAll(/\.(?:section|list)\(\s*'(\w+)',/g)].map(([, name]) => name!));
  expect(read.filter((name) => !(sectionNames as readonly string[]).includes(name))).toEqual([]);
});

test('a port that is none is refused by the name of its variable', () => {
  for (const port of ['hello', '65536', '-1', '']) {
    const settings = readSettings(environment(yaml, { OCPP_PORT: port }));
    expect(() => settings.port('OCPP_PORT')).toThrow('environment variable OCPP_PORT: a port from 0');
  }
  expect(readSettings(environment(yaml)).port('OCPP_PORT')).toBe(0);
});

test('an unknown word in the party section is refused', () => {
  expect(() => readSettings(environment(yaml.replace('roles', 'rols')))).toThrow(/party/);
});

test('a file that is not YAML or not there is refused by name', () => {
  expect(() => readSettings(environment('party: ['))).toThrow(/not valid YAML/);
  expect(() => readSettings(environment('', { ROAMWATT_CONFIG: '/nowhere/roamwatt.yaml' }))).toThrow(/cannot be read/);
});
