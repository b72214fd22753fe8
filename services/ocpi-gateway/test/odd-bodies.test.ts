import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  authorization, type Endpoint, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, routes,
} from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, origin, type Side } from './side.ts';

// Whatever JSON a partner sends, in whichever version of OCPI: it is refused by name or taken, and never a fault of ours.

const versions = ['2.2.1', '2.1.1', '2.3.0'] as const;
let oasis: Side;
const partners = new Map<string, HandPartner>();

beforeAll(async () => {
  oasis = await openSide(
    { party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' } },
    [...versions],
  );
  for (const [n, version] of versions.entries()) {
    const partner = await HandPartner.open(
      `Partner of ${version}`,
      `P${n}X`,
      'EMSP',
      ['SENDER locations', 'SENDER commands', 'SENDER tokens'],
      version === '2.1.1' ? [] : ['CPO'],
    );
    partner.version = version;
    expect(await partner.register(oasis), version).toMatchObject({ status_code: 1000 });
    partners.set(version, partner);
  }
  oasis.neighbours.answers.startSession = async () => ({ result: 'REJECTED' });
});
afterAll(async () => {
  await Promise.all([...partners.values()].map((one) => one.close()));
  await oasis?.close();
});

const nothings = [
  'null',
  '0',
  '""',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  'true',
  '"x"',
  '{"__proto__":{}}',
  '{"constructor":{"prototype":{}}}',
  '{"toString":1,"valueOf":1}',
];
/** In the place of each field of an object that is right otherwise. */
const oddities: readonly unknown[] = [
  null,
  0,
  -1,
  1e15,
  1e-20,
  '',
  ' ',
  '#NA',
  '..',
  'x'.repeat(5_000),
  [],
  {},
  [null],
  [{}],
  [[]],
  { toString: 1 },
  { length: 1 },
  true,
  '2022-02-30T00:00:00Z',
  '9999-12-31T23:59:59Z',
];
const command = {
  response_url: 'http://127.0.0.1:9/r',
  location_id: 'L',
  evse_uid: 'E',
  connector_id: '1',
  session_id: 'S',
  reservation_id: 'R',
  expiry_date: '2030-01-01T00:00:00Z',
};
const profile = { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] };

function examplesOf(module: string, party: object): object[] {
  const [evse] = exampleLocation.evses!;
  switch (module) {
    case 'locations':
      return [
        { ...exampleLocation, ...party, id: 'L' },
        { ...evse!, uid: 'E' },
        { ...evse!.connectors[0]!, id: '1' },
      ];
    case 'sessions':
      return [
        { ...exampleSession, ...party, id: 'L' },
        { profile_type: 'FAST', departure_time: '2030-01-01T00:00:00Z', energy_need: 3 },
      ];
    case 'cdrs':
      return [{ ...exampleCdr, ...party }];
    case 'tariffs':
      return [{ ...exampleTariff, ...party, id: 'L' }];
    case 'tokens':
      return [
        { ...exampleToken, ...party, uid: 'L' },
        { location_id: 'L', evse_uids: ['E'] },
      ];
    case 'commands':
      return [
        { ...command, token: { ...exampleToken, ...party } },
        { result: 'ACCEPTED', message: [{ language: 'en', text: 'x' }] },
      ];
    case 'chargingprofiles':
      return [
        { response_url: command.response_url, charging_profile: profile },
        { start_date_time: '2030-01-01T00:00:00Z', charging_profile: profile },
        { result: 'ACCEPTED' },
      ];
    case 'hubclientinfo':
      return [{ ...party, role: 'CPO', status: 'CONNECTED', last_updated: '2030-01-01T00:00:00Z' }];
    default:
      return [
        {
          token: 'x',
          url: 'http://127.0.0.1:9/v',
          roles: [{ role: 'CPO', ...party, business_details: { name: 'x' } }],
        },
      ];
  }
}

/** Each field of each level above the third by one oddity after the other. */
function* bent(example: object): Generator<string> {
  let turn = 0;
  for (const [name, value] of Object.entries(example)) {
    for (let n = 0; n < 4; n += 1) yield JSON.stringify({ ...example, [name]: oddities[turn++ % oddities.length] });
    const inner: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof inner !== 'object' || inner === null) continue;
    for (const part of Object.keys(inner)) {
      const odd = { ...inner, [part]: oddities[turn++ % oddities.length] };
      yield JSON.stringify({ ...example, [name]: Array.isArray(value) ? [odd] : odd });
    }
  }
}

const filled = (path: string, party: { country_code: string; party_id: string }) =>
  path
    .replace(':country_code', party.country_code)
    .replace(':party_id', party.party_id)
    .replace(/:(evse_uid)/, 'E')
    .replace(':connector_id', '1')
    .replace(':command', 'START_SESSION')
    .replace(':exchange', 'X')
    .replace(/:\w+/g, 'L');

test.each(versions)('TRN-30 in OCPI %s no JSON whatever is HTTP 5xx or 3000', async (version) => {
  const partner = partners.get(version)!;
  const party = { country_code: 'CA', party_id: partner.partyId };
  const { data } = await call(oasis, `/ocpi/${version}`, { token: partner.token });
  const requests: [method: string, url: string, body: string][] = [];
  for (const { identifier, role, url } of (data as { endpoints: Endpoint[] }).endpoints) {
    for (const route of routes) {
      if (
        route.module !== identifier ||
        !route.body ||
        (version !== '2.1.1' && identifier !== 'credentials' && route.role !== role)
      )
        continue;
      // Of a registered partner: a POST is 405 before its body is read.
      if (identifier === 'credentials' && route.method === 'POST') continue;
      const at = `${url}${filled(route.path, party)}`;
      for (const body of nothings) requests.push([route.method, at, body]);
      for (const example of examplesOf(identifier, party)) for (const body of bent(example)) requests.push([route.method, at, body]);
    }
  }
  expect(requests.length).toBeGreaterThan(1_000);
  const faults: string[] = [];
  const work = async () => {
    for (let next = requests.pop(); next; next = requests.pop()) {
      const [method, url, body] = next;
      const response = await fetch(url.replace(/^https?:\/\/[^/]+/, origin(oasis)), {
        method, body, headers: { Authorization: authorization(partner.token), 'Content-Type': 'application/json' },
      });
      const answer = await response.json() as { status_code: number; status_message?: string };
      const isFault =
        response.status >= 500 ||
        (answer.status_code >= 3000 && !url.endsWith('/credentials')) ||
        answer.status_code === 3000;
      if (isFault) faults.push(`${method} ${url} ${body.slice(0, 300)}: ${response.status} ${answer.status_code} ${answer.status_message}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  expect(faults.slice(0, 10)).toEqual([]);
});
