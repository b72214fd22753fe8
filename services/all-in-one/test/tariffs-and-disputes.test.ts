import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { receiveCdr } from '#contracts/cdr-ledger';
import { putPartnerTariff } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import { creditCdr, exampleCdr } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start as startLedger } from '../../cdr-ledger/src/start.ts';
import { start as startLocations } from '../../locations/src/start.ts';
import { start as startPortal } from '../../portal/src/start.ts';
import { start as startTariffEngine } from '../../tariff-engine/src/start.ts';

// The operator's door to tariffs and disputes, with the services behind it.

const key = 'an-operator-key-for-this-test';
const connector = {
  id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32,
  tariff_ids: ['L2'],
};
const tariffOf = (price: number, more: object = {}) => ({
  currency: 'CAD', elements: [{ price_components: [{ type: 'ENERGY', price, vat: 5, step_size: 1 }] }], ...more,
});

let platform: TestPlatform;
let bus: Bus;
let portal: string;
const running: Running[] = [];

beforeAll(async () => {
  platform = await testPlatform({
    tariffs: [{ id: 'L2', ...tariffOf(0.24) }],
    locations: [{
      id: 'BURNABY', publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN',
      coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
      evses: [{ uid: 'L2-01', evse_id: 'CA*BCT*EL201', connectors: [connector] }],
    }],
    portal: { operator_keys: [key] },
    // What partners send us is of drivers of ours.
    party: { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP', 'CPO'], currency: 'CAD' },
  });
  for (const start of [startLocations, startTariffEngine, startLedger, startPortal]) running.push(await start(platform.env));
  portal = running.at(-1)!.urls!.portal!;
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'ocpi-gateway' });
});
afterAll(async () => {
  for (const one of running.reverse()) await one.stop();
  await bus?.close();
  await platform?.drop();
});

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const answer = await fetch(`${portal}/v1/operator${path}`, {
    method,
    headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, any> };
}

test('a tariff is published with what its author should look at, and read as it was', async () => {
  const perMinute = tariffOf(0.3, { elements: [{ price_components: [{ type: 'TIME', price: 0.05, vat: 5, step_size: 60 }] }] });
  const put = await call('PUT', '/tariffs/NIGHT', perMinute);
  expect(put).toMatchObject({
    status: 200,
    body: { change: 'created', version: 1, tariff: { id: 'NIGHT', country_code: 'CA', party_id: 'CPK' } },
  });
  expect(put.body.lint.map(({ code }: { code: string }) => code)).toContain('per-minute-price');
  const since = (await call('GET', '/tariffs/NIGHT')).body.held_since as string;
  expect(await call('PUT', '/tariffs/NIGHT', tariffOf(0.1))).toMatchObject({ body: { change: 'updated', version: 2 } });
  expect(await call('PUT', '/tariffs/night', tariffOf(0.1, { id: 'NIGHT' }))).toMatchObject({ body: { change: 'unchanged', version: 2 } });
  expect(await call('GET', `/tariffs/CA/CPK/NIGHT?as_of=${since}`)).toMatchObject({ body: { version: 1 } });
  const { versions, total } = (await call('GET', '/tariffs/CA/CPK/NIGHT/versions')).body;
  expect([total, versions.map(({ version, source }: Record<string, unknown>) => `${version} ${source}`)])
    .toEqual([2, ['2 operator', '1 operator']]);
  await expect.poll(async () => (await call('GET', '/tariffs')).body.tariffs.map(({ id }: { id: string }) => id).sort())
    .toEqual(['L2', 'NIGHT']);
});

test('an order with a key is carried out once', async () => {
  const order = { 'idempotency-key': 'order-1' };
  expect(await call('PUT', '/tariffs/KEYED', tariffOf(0.5), order)).toMatchObject({ body: { version: 1 } });
  await call('PUT', '/tariffs/KEYED', tariffOf(0.6));
  expect(await call('PUT', '/tariffs/KEYED', tariffOf(0.5), order)).toMatchObject({ body: { change: 'unchanged', version: 1 } });
});

test.each<[string, string, string, object | undefined, number, string]>([
  ['another id in the body', 'PUT', '/tariffs/NIGHT', tariffOf(1, { id: 'DAY' }), 400, 'invalid-request'],
  ['no elements', 'PUT', '/tariffs/NIGHT', { currency: 'CAD', elements: [] }, 400, 'invalid-request'],
  ['what OCPI does not know', 'PUT', '/tariffs/NIGHT', tariffOf(1, { type: 'CHEAP' }), 400, 'invalid-object'],
  ['a tariff that a Connector names', 'DELETE', '/tariffs/L2', undefined, 409, 'tariff-in-use'],
  ['a tariff that never was', 'DELETE', '/tariffs/NEVER', undefined, 404, 'unknown-tariff'],
  ['a tariff that is not there', 'GET', '/tariffs/NEVER', undefined, 404, 'unknown-tariff'],
  [
    'a dispute over nothing',
    'POST',
    '/disputes',
    { country_code: 'CA', party_id: 'BCT', cdr_id: 'X', reason: 'why' },
    404,
    'unknown-cdr',
  ],
  [
    'a dispute without a reason',
    'POST',
    '/disputes',
    { country_code: 'CA', party_id: 'BCT', cdr_id: 'X', reason: ' ' },
    400,
    'invalid-request',
  ],
  ['a dispute that never was', 'GET', '/disputes/CA*BCT*X*1', undefined, 404, 'unknown-dispute'],
  ['half a partner', 'GET', '/disputes?country_code=CA', undefined, 400, 'invalid-request'],
])('%s is refused by name', async (_, method, path, body, status, code) => {
  expect(await call(method, path, body)).toMatchObject({ status, body: { error: { code } } });
});

test('a tariff that no Connector names is withdrawn', async () => {
  expect(await call('DELETE', '/tariffs/KEYED')).toMatchObject({ status: 200, body: { change: 'withdrawn' } });
  expect(await call('DELETE', '/tariffs/KEYED')).toMatchObject({ body: { change: 'unchanged' } });
  expect((await call('GET', '/tariffs/KEYED')).status).toBe(404);
});

test('a tariff is looked through without publishing it', async () => {
  const { body } = await call('POST', '/tariffs/lint', { tariff: { id: 'X', elements: 'none' }, country: 'DE' });
  expect(body.lint.map(({ severity }: { severity: string }) => severity)).toContain('error');
  expect((await call('GET', '/tariffs/X')).status).toBe(404);
});

test('in Canada a price per kWh needs to know the meters of its EVSEs', async () => {
  const tariff = {
    country_code: 'CA', party_id: 'BCT', id: 'KWH', currency: 'CAD', last_updated: '2022-01-01T00:00:00Z',
    end_date_time: '2030-01-01T07:00:00Z',
    elements: [{ price_components: [{ type: 'ENERGY', price: 0.35, vat: 5, step_size: 1 }] }],
  };
  const codes = async (meter?: string) => {
    const { body } = await call('POST', '/tariffs/lint', {
      tariff,
      country: 'CAN',
      time_zone: 'America/Vancouver',
      evses: [{ name: 'CA*BCT*E1', ...(meter && { meter }) }],
    });
    return body.lint.map(({ code }: { code: string }) => code);
  };
  expect([await codes('approved'), await codes('dispensation'), await codes('none'), await codes()]).toEqual([
    [], [], ['canada-kwh-without-approval'], ['canada-meter-unknown'],
  ]);
  expect((await call('POST', '/tariffs/lint', { tariff, evses: [{ name: 'E', meter: 'good' }] })).status).toBe(400);
});

test('a received CDR is reviewed by the tariff that its sender published, and disputed until it is credited', async () => {
  const cdr = { ...exampleCdr, cdr_token: { ...exampleCdr.cdr_token, country_code: 'CA', party_id: 'CPK' } };
  const party = { countryCode: cdr.country_code, partyId: cdr.party_id };
  const [published] = cdr.tariffs!;
  await bus.ask(putPartnerTariff, { party, tariffId: published!.id, bodyJson: toJsonBytes(published) });
  const receive = (body: object) => bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });
  // The session began before we held the tariff.
  const { findings } = await receive(cdr);
  expect(findings.find(({ code }) => code === 'tariff-not-compared')?.detail).toContain('it is version 1');

  const open = { country_code: cdr.country_code, party_id: cdr.party_id, cdr_id: cdr.id, reason: 'The car was elsewhere' };
  const opened = await call('POST', '/disputes', open, { 'idempotency-key': 'dispute-1' });
  expect(opened).toMatchObject({
    status: 201,
    body: {
      state: 'opened',
      complainant: 'us',
      reason: 'The car was elsewhere',
      findings: expect.arrayContaining(['tariff-not-compared']),
    },
  });
  expect(await call('POST', '/disputes', open, { 'idempotency-key': 'dispute-1' })).toEqual(opened);
  const path = `/disputes/${encodeURIComponent(opened.body.dispute_id as string)}`;
  expect(await call('POST', `${path}/answer`, { accepted: true, answer: 'So it was' })).toMatchObject({
    status: 200,
    body: { state: 'answered', accepted: true },
  });
  await receive(creditCdr(cdr, cdr.last_updated));
  await expect.poll(async () => (await call('GET', path)).body.state).toBe('credited');
  expect(await call('POST', `${path}/withdraw`, { reason: 'never mind' })).toMatchObject({
    status: 409,
    body: { error: { code: 'dispute-is-closed' } },
  });
  const { disputes, total } = (
    await call('GET', `/disputes?state=credited&country_code=${cdr.country_code}&party_id=${cdr.party_id}`)
  ).body;
  expect([total, disputes[0].credit_cdr_id]).toEqual([1, `${cdr.id}-C`]);
});
