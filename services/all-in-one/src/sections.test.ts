import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadSettings } from '#settings';
import { afterAll, expect, test } from 'vitest';
import { start } from './start.ts';

const dir = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(dir, { recursive: true }));

const settings = `
party: { country_code: CA, party_id: RWT, name: My Charging Network, roles: [CPO, EMSP] }
tariffs:
  - { id: LEVEL-2, currency: CAD, elements: [{ price_components: [{ type: ENERGY, price: 0.24, step_size: 1 }] }] }
locations:
  - id: SITE-1
    publish: true
    address: 3700 Willingdon Avenue
    city: Burnaby
    country: CAN
    coordinates: { latitude: "49.25120", longitude: "-123.00310" }
    time_zone: America/Vancouver
    evses:
      - uid: "1"
        station: STATION-1
        connectors:
          - { id: "1", standard: IEC_62196_T1, format: CABLE, power_type: AC_1_PHASE, max_voltage: 208, max_amperage: 32, tariff_ids: [LEVEL-2] }
stations: [{ id: STATION-1, password: 19alw2-FhGvCpR-n638lcO_d }]
sites:
  - { id: FEED, feeder: { name: Panel, limit_a: 32, voltage_v: 208 }, fail_safe_a: 6, chargers: [{ station: STATION-1, connector: 1, max_a: 32 }] }
drivers:
  - { email: driver@example.com, password: kLAxxTWELLeY-8o1, name: First driver, contract_id: CA-RWT-C00000001-X, tokens: [{ uid: APP-1, type: APP_USER }] }
portal: { operator_keys: [j0HyeuIVqf896T3QXTX3dNXS] }
ocpi: { pull: {}, rate_limit: {} }
`;

/** Nothing listens at port 1: what is said of the settings is said before anything is looked for there. */
async function faultsOf(changes: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const file = join(dir, 'roamwatt.yaml');
  const text = Object.entries(changes).reduce((all, [from, to]) => {
    expect(all).toContain(from);
    return all.replace(from, to);
  }, settings);
  writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
  const started = start({
    ROAMWATT_PLATFORM: 'mistaken', ROAMWATT_CONFIG: file, ROAMWATT_SECRET: 'x'.repeat(32),
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing', NATS_URL: 'nats://127.0.0.1:1',
  });
  const error: unknown = await started.catch((reason: unknown) => reason);
  if (!(error instanceof BadSettings)) throw error;
  return error.message.split('\n').map((line) => line.replace(`${file}: `, ''));
}

test('mistakes in several sections of roamwatt.yaml are all said at once, before a server is needed', async () => {
  const faults = await faultsOf({
    'limit_a: 32': 'limit: 32', 'price: 0.24': 'price: "0.24"', 'email: driver@example.com': 'email: driver',
    'max_voltage: 208': 'max_voltage: high', operator_keys: 'operator_key', 'pull: {}': 'pull: { evry_s: 60 }', 'rate_limit: {}': 'rate_limit: { per_secnd: 5 }', 'password: 19alw2-FhGvCpR-n638lcO_d': 'password: 12',
  });
  for (const said of [
    /^tariffs\.0 \(LEVEL-2\)\.elements\[0\]\.price_components\[0\]\.price: must be a JSON number/,
    /^locations\.0 \(SITE-1\)\.evses\[0\]\.connectors\[0\]\.max_voltage: /,
    /^stations\.0.*password/,
    /^sites\.0.*feeder: unknown word "limit"/,
    /^drivers\.0.*email: /,
    /^portal: unknown word "operator_key"; did you mean "operator_keys"\?/,
    /^ocpi\.pull: unknown word "evry_s"; did you mean "every_s"\?/,
    /^ocpi\.rate_limit: unknown word "per_secnd"; did you mean "per_second"\?/,
  ]) {
    expect(faults.filter((fault) => said.test(fault)), String(said)).toHaveLength(1);
  }
});

test('a mistake of the party does not hide those of what does not depend on it', async () => {
  const faults = await faultsOf({ 'party_id: RWT': 'party_id: ROAM', 'tariff_ids: [LEVEL-2]': 'tariff_ids: [LEVEL-3]' });
  expect(faults.some((fault) => fault.startsWith('party.party_id: '))).toBe(true);
  expect(faults.some((fault) => fault.includes('there is no tariff "LEVEL-3"'))).toBe(true);
});
