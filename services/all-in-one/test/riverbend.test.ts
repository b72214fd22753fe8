import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ocpiClient } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { parse } from 'yaml';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { type FoundEvse, Portal } from '../../../scripts/portal.ts';
import { housingSettings } from '../../../scripts/start-housing.ts';
import { start } from '../src/start.ts';
import { dataOf, RawPartner, rawToken } from './raw-partner.ts';

// The example of a housing co-op as it is shipped: a partner hears of the visitors' stalls alone.

interface Written {
  readonly stations: readonly { readonly id: string; readonly password: string }[];
  readonly drivers: readonly { readonly email: string; readonly password: string }[];
  readonly portal: { readonly operator_keys: readonly string[] };
}
const settings = parse(housingSettings()) as Written;
const staff = {
  email: 'staff@example.com',
  password: 'keeps the building',
  name: 'Staff',
  contract_id: 'CA-RVB-C00000009-X',
  tokens: [{ uid: 'APP-STAFF', type: 'APP_USER' }],
};
const drivers = [...settings.drivers, staff];

let platform: TestPlatform;
let services: Running;
let partner: RawPartner;
let charger: ChargerProcess;

beforeAll(async () => {
  platform = await testPlatform({ ...settings, drivers, ocpi: { allow_private_urls: true } });
  services = await start(platform.env);
  partner = await RawPartner.open('EMSP');
  const operator = Portal.operator(services.urls!.portal!, settings.portal.operator_keys[0]!);
  await partner.register(
    await operator.post('/v1/operator/invitations', {
      name: 'Another make',
      parties: [{ country_code: 'CA', party_id: 'RAW' }],
    }),
  );
});
afterAll(async () => {
  await charger?.stop();
  await partner?.close();
  await services?.stop();
  await platform?.drop();
});

/** What the n-th driver finds in the app. */
async function found(n: number): Promise<readonly FoundEvse[]> {
  const { email, password } = drivers[n]!;
  return (await (await Portal.driver(services.urls!.portal!, email, password)).get<{ evses: FoundEvse[] }>('/v1/evses')).evses;
}

test("LOC-07: a resident's charge and stall are in nothing that a partner is sent or may pull", async () => {
  await expect.poll(() => partner.received('locations').map(({ path }) => path)).toEqual(['/receiver/locations/CA/RVB/RIVERBEND-VISITORS']);
  const station = settings.stations.find(({ id }) => id === 'RIVERBEND-R1')!;
  charger = startCharger({ config: { url: services.urls!.ocpp!, stations: [{ ...station, seed: 1, model: 'level2' }] } });
  await charger.until({ event: 'booted', station: station.id });
  const stalls = async () => (await found(0)).map(({ evse_uid, status }) => `${evse_uid} ${status}`);
  await expect.poll(stalls).toContain('R1 AVAILABLE');
  const client = ocpiClient({ token: partner.token, allowPrivate: true });
  for (const module of ['locations', 'tariffs']) {
    const pulled = JSON.stringify(dataOf(await client.get(partner.at(module, 'SENDER'))));
    expect(pulled).toContain('VISITORS');
    expect(pulled).not.toContain('RESIDENTS');
  }
  const answered = async (locationId: string, command: string) => {
    const body = {
      token: rawToken('RAW-0001'),
      location_id: locationId,
      evse_uid: 'R1',
      connector_id: '1',
      reservation_id: '1',
      expiry_date: '2099-01-01T00:00:00Z',
    };
    const to = { country_code: 'CA', party_id: 'RVB' };
    const asked = { ...body, response_url: partner.responseUrl(command) };
    const outcomes = [
      (await partner.command(command, body)).outcome,
      await partner.send('post', partner.at('commands', 'RECEIVER', command), asked, { routing: { to, from: { ...to, party_id: 'RAW' } } }),
    ];
    return JSON.parse(JSON.stringify(outcomes).replaceAll(locationId, 'it')) as { statusCode: number }[];
  };
  for (const command of ['START_SESSION', 'RESERVE_NOW', 'UNLOCK_CONNECTOR']) {
    const refused = await answered('RIVERBEND-RESIDENTS', command);
    expect(refused.map(({ statusCode }) => statusCode)).toEqual([2003, 2003]);
    expect(refused, 'not a word tells it from one that is not there').toEqual(await answered('RIVERBEND-NOWHERE', command));
  }
  expect(partner.received('tariffs').map(({ path }) => path)).toEqual(['/receiver/tariffs/CA/RVB/VISITORS']);
  expect(JSON.stringify(partner.incoming)).not.toMatch(/RESIDENTS|RVB\*ER/);
});

test("LOC-07: a partner's card opens a visitor's stall and no resident's, and its owner hears of the visitor's alone", async () => {
  const stations = settings.stations.filter(({ id }) => /-(V1|R2)$/.test(id));
  const chargers = startCharger({ config: { url: services.urls!.ocpp!, model: 'level2', stations } });
  onTestFinished(() => chargers.stop());
  for (const whitelist of ['ALLOWED', 'NEVER'] as const) {
    const token = rawToken(`RAW-${whitelist}`, { type: 'RFID', whitelist });
    dataOf(await partner.send('put', partner.at('tokens', 'RECEIVER', 'CA', 'RAW', token.uid), token));
    partner.authorizes = () => ({ allowed: 'ALLOWED', token });
    for (const [station, status] of [['RIVERBEND-R2', 'Blocked'], ['RIVERBEND-V1', 'Accepted']] as const) {
      await chargers.until({ event: 'booted', station });
      const since = chargers.events.length;
      await chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
      await chargers.do({ do: 'tap', station, idTag: token.uid });
      await chargers.until({ event: 'authorized', station, idTag: token.uid, status }, { since });
      if (status === 'Accepted') await chargers.do({ do: 'tap', station, idTag: token.uid });
      await chargers.do({ do: 'unplug', station });
    }
  }
  await expect.poll(() => partner.received('cdrs')).toHaveLength(2);
  expect(JSON.stringify(partner.incoming)).toContain('"evse_uids":["V1"]');
  expect(JSON.stringify(partner.incoming)).not.toMatch(/RESIDENTS|RVB\*ER|"R\d"/);
});

test('LOC-06: only the drivers whose tokens are named find the stall', async () => {
  expect((await found(1)).map(({ evse_uid: uid }) => uid).sort()).toEqual(['R1', 'R2', 'R3', 'V1', 'V2']);
  expect((await found(3)).map(({ evse_uid: uid }) => uid).sort()).toEqual(['V1', 'V2']);
});
