import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readSettings } from './settings.ts';

const yaml = `
party: { country_code: CA, party_id: BCT, name: Energy OASIS, roles: [CPO] }
stations: [ { id: OASIS-L2-01 } ]
`;

function environment(text: string, more: Record<string, string | undefined> = {}) {
  const file = join(mkdtempSync(join(tmpdir(), 'roamwatt-settings-')), 'roamwatt.yaml');
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
    /roamwatt\.yaml: stations\.0\.password/,
  );
});

test('an unknown word in the party section is refused', () => {
  expect(() => readSettings(environment(yaml.replace('roles', 'rols')))).toThrow(/party/);
});

test('a file that is not YAML or not there is refused by name', () => {
  expect(() => readSettings(environment('party: ['))).toThrow(/not valid YAML/);
  expect(() => readSettings(environment('', { ROAMWATT_CONFIG: '/nowhere/roamwatt.yaml' }))).toThrow(/cannot be read/);
});
