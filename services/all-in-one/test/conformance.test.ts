import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { invitePartner } from '#contracts/ocpi-gateway';
import { conformance, type Report } from '#ocpi-conformance';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { energyOasis, levelTwoStation } from '../../../scripts/demo-settings.ts';
import { start } from '../src/start.ts';

// The conformance kit against the whole of ours: an operator and mobility provider in one, with a charger.

const station = levelTwoStation(1);

let platform: TestPlatform;
let services: Running;
let charger: ChargerProcess;
let bus: Bus;

beforeAll(async () => {
  const settings = energyOasis();
  platform = await testPlatform({ ...settings, party: { ...settings.party, roles: ['CPO', 'EMSP'] } });
  services = await start(platform.env);
  bus = await connectBus({ natsUrl: platform.env['NATS_URL']!, platform: platform.platform, service: 'conformance' });
  charger = startCharger({
    env: {},
    config: {
      url: services.urls!['ocpp']!,
      settings: { MeterValueSampleInterval: 1 },
      stations: settings.stations
        .filter(({ id }) => id === station)
        .map(({ id, password }) => ({ id, password, seed: 1, meterStartWh: 100_000, model: 'level2' })),
    },
  });
  await charger.until({ event: 'booted', station });
  await charger.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
});
afterAll(async () => {
  await charger?.stop();
  await bus?.close();
  await services?.stop();
  await platform?.drop();
});

async function tried(more: object = {}): Promise<Report> {
  const { tokenA, versionsUrl } = await bus.ask(invitePartner, {
    name: 'Kit',
    parties: [{ party: { countryCode: 'CA', partyId: 'KIT' } }],
  });
  return conformance({ versionsUrl, token: tokenA, party: { country_code: 'CA', party_id: 'KIT' }, patienceMs: 300, timeoutMs: 60_000, ...more });
}

const verdicts = (report: Report, wanted: string) => report.verdicts.filter(({ verdict }) => verdict === wanted).map(({ rule }) => rule);
const findings = (report: Report) => report.verdicts.flatMap(({ rule, findings: some }) =>
  some.map(({ expected, request, response }) => `${rule}: ${expected}\n${request}\n${response}`));

test('a CPO and eMSP of ours keeps every rule that the kit can see, with a charge that it starts', async () => {
  const report = await tried({ chargeAt: 'BURNABY/L2-01' });
  expect(findings(report)).toEqual([]);
  expect(report.roles).toEqual(['CPO CA*BCT', 'EMSP CA*BCT']);
  const passed = verdicts(report, 'pass');
  for (const rule of [
    'TRN-52',
    'HUB-04',
    'CRE-06',
    'CRE-08',
    'LOC-01',
    'SES-03',
    'CDR-01',
    'CDR-09',
    'CDR-10',
    'LOC-33',
    'VER-03',
    'TAR-01',
    'TOK-01',
    'TOK-06',
    'CMD-03',
    'CMD-04',
    'CMD-05',
    'CMD-09',
    'CMD-11',
    'CHP-01',
    'CHP-02',
    'CHP-04',
    'SES-20',
  ])
    expect(passed).toContain(rule);
});
