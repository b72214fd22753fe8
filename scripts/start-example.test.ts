import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSettings, readParties } from '#settings';
import { expect, test } from 'vitest';
import { exampleSettings } from './start-example.ts';
import { housingSettings } from './start-housing.ts';
import { hubSettings } from './start-hub.ts';

test.each([
  ['a site', exampleSettings, 'RWT'],
  ['a housing co-op', housingSettings, 'RVB'],
  ['a hub', hubSettings, 'HUB'],
])('the example of %s holds nothing that a start would refuse', (_of, made, party_id) => {
  const dir = mkdtempSync(join(tmpdir(), 'roamwatt-example-'));
  const file = join(dir, 'roamwatt.yaml');
  writeFileSync(file, made());
  expect(() => checkSettings(file)).not.toThrow();
  expect(readParties(file).first).toMatchObject({ country_code: 'CA', party_id });
  rmSync(dir, { recursive: true });
});

test('no two examples share the uid of an app: a partner refuses the card of a uid that another has issued, too', () => {
  const uids = () => [...(exampleSettings() + housingSettings()).matchAll(/uid: (APP-[^,]+)/g)].map(([, uid]) => uid);
  const all = [...uids(), ...uids()];
  expect(all).toHaveLength(8);
  expect(new Set(all).size).toBe(8);
});

test('no two examples share a secret', () => {
  const all = () => exampleSettings() + housingSettings() + hubSettings();
  const secrets = (text: string) => [...text.matchAll(/password: (\S+)|operator_keys: \[(\S+)\]/g)].map(([, a, b]) => a ?? b);
  const [one, other] = [secrets(all()), secrets(all())];
  expect(one.length).toBeGreaterThanOrEqual(3);
  expect(one.filter((secret) => other.includes(secret))).toEqual([]);
});
