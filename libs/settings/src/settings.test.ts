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
  expect(settings.parties.first).toMatchObject({ party_id: 'BCT', currency: 'CAD' });
  expect(settings.databaseAdminUrl).toBe('postgres://localhost/oasis');
  expect(settings.list('stations', z.object({ id: z.string() }))).toEqual([{ id: 'OASIS-L2-01' }]);
});

test('services of one process each have settings of their own, and a file that was changed is read as it is by then', () => {
  const stationsOf = (text: string) => readSettings(environment(text)).list('stations', z.unknown()) as { id: string }[];
  stationsOf(yaml)[0]!.id = 'written over';
  expect(stationsOf(yaml)).toEqual([{ id: 'OASIS-L2-01' }]);
  expect(stationsOf(yaml.replace('L2-01', 'L2-02'))).toEqual([{ id: 'OASIS-L2-02' }]);
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

test.each([
  ['[]', 'drivers.0 (a@b.c).tokens: at least 1 is needed'],
  ['[a, b, c]', 'drivers.0 (a@b.c).tokens: at most 2 are allowed'],
  ["['']", 'drivers.0 (a@b.c).tokens.0: at least 1 character is needed'],
  ['[abcde]', 'drivers.0 (a@b.c).tokens.0: at most 4 characters are allowed'],
])('what is too short, too long or too many says how much may be: %s', (tokens, said) => {
  const settings = readSettings(environment(`${yaml}drivers: [{ email: a@b.c, tokens: ${tokens} }]`));
  const driver = z.object({ tokens: z.array(z.string().min(1).max(4)).min(1).max(2) });
  expect(() => settings.list('drivers', driver)).toThrow(said);
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

test('a section that is like none is refused with those that there are', () => {
  expect(() => readSettings(environment(`${yaml}bogus: 1`))).toThrow(/unknown section "bogus"; there is party, parties, tariffs, .*, retail$/);
});

test('a section of a service that is hosted elsewhere is no mistake', () => {
  const all = sectionNames.filter((name) => !['party', 'parties', 'stations'].includes(name)).map((name) => `${name}: []`).join('\n');
  expect(() => readSettings(environment(yaml + all))).not.toThrow();
});

test('the known sections are those that services read', () => {
  const services = join(import.meta.dirname, '../../../services');
  const read = readdirSync(services, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .flatMap((path) =>
      [...readFileSync(join(services, path), 'utf8').matchAll(/\.(?:section|list)\(\s*'(\w+)',/g)].map(
        ([, name]) => name!,
      ),
    );
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

test('a platform of several parties', () => {
  const several = `
parties:
  - { country_code: CA, party_id: BCT, name: Energy OASIS, roles: [CPO] }
  - { country_code: CA, party_id: EVG, name: Evergreen, roles: [CPO], currency: USD }
  - { country_code: CA, party_id: RWT, name: Roamers, roles: [EMSP, CPO] }
`;
  const { parties } = readSettings(environment(several));
  expect(parties.all.map(({ party_id, currency }) => `${party_id} ${currency}`)).toEqual(['BCT CAD', 'EVG USD', 'RWT CAD']);
  expect(parties.withRole('CPO').party_id).toBe('BCT');
  expect(parties.withRole('EMSP').party_id).toBe('RWT');
  expect(parties.find({ country_code: 'ca', party_id: 'evg' })?.name).toBe('Evergreen');
  expect(parties.has({ country_code: 'US', party_id: 'EVG' })).toBe(false);

  expect(parties.ownerOf({}, 'EMSP')).toMatchObject({ party: { party_id: 'RWT' } });
  expect(parties.ownerOf({ country_code: 'CA', party_id: 'EVG' }, 'CPO')).toMatchObject({ party: { party_id: 'EVG' } });
  expect(parties.ownerOf({ country_code: 'CA', party_id: 'EVG' }, 'EMSP')).toEqual({
    ok: false, message: 'party_id: CA*EVG is no EMSP of this platform; CA*RWT is',
  });
  expect(parties.ownerOf({ party_id: 'EVG' }, 'CPO')).toMatchObject({ message: expect.stringContaining('together') });
  expect(parties.chosen({ country_code: 'CA', party_id: 'RWT' })).toMatchObject({ party: { party_id: 'RWT' } });
  expect(parties.chosen(undefined)).toMatchObject({ message: expect.stringContaining('CA*BCT, CA*EVG, CA*RWT') });
});

test('the only party of a platform need not be named, whatever its roles', () => {
  const { parties } = readSettings(environment(yaml));
  expect(parties.chosen(undefined)).toMatchObject({ party: { party_id: 'BCT' } });
  expect(parties.ownerOf({ country_code: 'CA', party_id: 'BCT' }, 'EMSP')).toMatchObject({ party: { party_id: 'BCT' } });
});

test.each<[string, string, RegExp]>([
  [
    'both sections',
    `${yaml}parties: [{ country_code: CA, party_id: EVG, name: E, roles: [CPO] }]`,
    /party and parties: name one party/,
  ],
  ['no party at all', 'parties: []', /parties: /],
  [
    'a party twice',
    `
parties:
  - { country_code: CA, party_id: BCT, name: Energy OASIS, roles: [CPO] }
  - { country_code: CA, party_id: BCT, name: Energy OASIS, roles: [EMSP] }
`,
    /parties\.1 \(BCT\): CA\*BCT is there twice: give it all its roles in one place/,
  ],
  [
    'a role that OCPI does not have',
    'parties: [{ country_code: CA, party_id: BCT, name: E, roles: [MSP] }]',
    /parties\.0 \(BCT\)\.roles\.0/,
  ],
])('parties are refused with %s', (_what, text, said) => {
  expect(() => readSettings(environment(text))).toThrow(said);
});
