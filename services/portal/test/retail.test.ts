import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '#service';
import { exampleLocation } from '#ocpi';
import { rfc3339 } from '#time';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { Client } from './client.ts';
import { cdrOf, Neighbours, sessionOf } from './neighbours.ts';

// What a driver pays where accounts are kept: the retail price, and nothing of what the charge costs at the operator.

const operatorKey = 'an-operator-key-for-this-test';
const driver = {
  email: 'avery@plunk.example', password: 'correct horse', name: 'Avery', contract_id: 'CA-CPK-C00000001-J',
  tokens: [{ uid: 'APP-1', type: 'APP_USER' }],
};

let platform: TestPlatform;
let neighbours: Neighbours;
let service: Running;
let avery: Client;
let operator: Client;

beforeAll(async () => {
  const plunk = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' };
  platform = await testPlatform({ party: plunk, drivers: [driver], portal: { operator_keys: [operatorKey] } });
  neighbours = await Neighbours.play(platform);
  service = await start(platform.env);
  const anyone = new Client(service.urls!.portal!);
  avery = await anyone.signedIn(driver.email, driver.password);
  operator = anyone.with({ 'x-api-key': operatorKey });
  neighbours.accounts.kept = true;
});
afterAll(async () => {
  await service?.stop();
  await neighbours?.close();
  await platform?.drop();
});

const total = { excl_vat: '9.10', incl_vat: '9.56', currency: 'CAD' };
const level2 = { country_code: 'CA', party_id: 'BCT', location_id: exampleLocation.id, evse_uid: 'L2-01' };
const reference = (id: string) => encodeURIComponent(`CA*BCT*${id}`);

test('a receipt shows the retail price with its explanation, and no cost of the CDR', async () => {
  const cdr = cdrOf('APP-1', { id: 'R-1' });
  neighbours.cdrs.set('R-1', cdr);
  neighbours.cdrs.set('R-2', cdrOf('APP-1', { id: 'R-2' }));
  neighbours.accounts.off.add('R-2');
  const { body } = await avery.get('/v1/receipts');
  // Its taxes are those within that price: those of the CDR would say what it costs at the operator.
  const taxes = [{ code: 'GST', rate: '5', amount: '0.46' }];
  expect(body.receipts).toMatchObject([{ cdr_id: 'R-1', total, taxes }]);
  const whole = (await avery.get('/v1/receipts/CA/BCT/R-1')).body;
  expect(whole).toMatchObject({
    total, taxes, explanation: { text: '9.56 CAD by your plan.\n', tree: null }, findings: [],
    cdr: { id: 'R-1', total_energy: cdr.total_energy, charging_periods: cdr.charging_periods },
  });
  for (const field of ['tariffs', 'total_cost', 'total_energy_cost', 'total_time_cost']) expect(whole.cdr).not.toHaveProperty(field);
  expect(await avery.get('/v1/receipts/CA/BCT/R-2')).toMatchObject({ status: 404, body: { error: { code: 'unknown-receipt' } } });
});

test('a receipt names its taxes as they were noted with the charge, whatever the data of taxes is by now', async () => {
  const noted = [{ code: 'VAT', rate: '5.5', amount: '0.46' }];
  neighbours.accounts.taxes = noted;
  const taxes = async () => (await avery.get('/v1/receipts')).body.receipts.map((receipt: { taxes: object }) => receipt.taxes);
  expect(await taxes()).toEqual([noted]);
  expect((await avery.get('/v1/receipts/CA/BCT/R-1')).body).toMatchObject({ total, taxes: noted });
  neighbours.accounts.taxes = [];
  expect(await taxes()).toEqual([[]]);
  neighbours.accounts.taxes = undefined;
  expect(await taxes()).toEqual([[{ code: 'GST', rate: '5', amount: '0.46' }]]);
});

test('where the plan passes the price through, the CDR and its explanation are there as well', async () => {
  neighbours.accounts.passesThrough = true;
  const whole = (await avery.get('/v1/receipts/CA/BCT/R-1')).body;
  expect(whole).toMatchObject({ total, explanation: { text: '9.56 CAD by your plan.\n12.4 kWh at 0.30' }, cdr: { total_cost: {} } });
  const inFrench = (await avery.get('/v1/receipts/CA/BCT/R-1?language=fr')).body;
  expect(inFrench.explanation.text).toBe('9,56 $ selon votre forfait.\n12,4 kWh à 0,30');
  neighbours.accounts.passesThrough = false;
});

test('an account and a receipt are said in French to who asks for it, by the language or the header', async () => {
  const french = { text: '9,56 $ selon votre forfait.' };
  expect((await avery.get('/v1/account?language=fr')).body).toMatchObject({ plan: { text: 'Vous payez.' }, lines: [french] });
  expect((await avery.with({ 'accept-language': 'fr-CA,en;q=0.5' }).get('/v1/account')).body).toMatchObject({ plan: { text: 'Vous payez.' } });
  expect((await avery.get('/v1/account')).body).toMatchObject({ plan: { text: 'You pay.' }, lines: [{ text: '9.56 CAD by your plan.' }] });
  expect((await avery.get('/v1/receipts/CA/BCT/R-1?language=fr')).body.explanation.text).toBe(`${french.text}\n`);
  expect((await avery.get('/v1/account?language=de')).status).toBe(400);
});

test('a charge shows what it costs the driver so far, and that it is stopped at the limit', async () => {
  await neighbours.sessionMoves(sessionOf('APP-1', { id: 'S-9' }));
  expect((await avery.get(`/v1/charges/${reference('S-9')}`)).body).toMatchObject({
    message: 'Your car is charging.', session: { session_id: 'S-9', cost: total },
  });
  neighbours.accounts.limitReached = true;
  expect((await avery.get('/v1/charges')).body.charges).toMatchObject([
    { message: 'Your car is charging. The limit of your account is reached, so it was ordered to stop.', session: { cost: total } },
  ]);
  neighbours.accounts.limitReached = false;
});

test('a quote is by the plan', async () => {
  const { body } = await avery.get('/v1/evses?latitude=49.2488&longitude=-123.0023&radius_m=5000');
  const prices = body.evses.flatMap(({ connectors }: { connectors: { price: object | null }[] }) => connectors.map(({ price }) => price));
  expect(prices).toContainEqual({
    sentence: '9.56 CAD by your plan.', quote: { energy_kwh: '20', duration_min: 181, excl_vat: '9.10', incl_vat: '9.56', currency: 'CAD' },
  });
  const inFrench = (await avery.get('/v1/evses?latitude=49.2488&longitude=-123.0023&radius_m=5000&language=fr')).body;
  expect(JSON.stringify(inFrench)).toContain('9,56 $ selon votre forfait.');
  expect(JSON.stringify(inFrench)).not.toContain('by your plan');
});

test('which other start is the cheapest is said by the plan, not by what the operator asks', async () => {
  const alternatives = async () => {
    const { body } = await avery.get('/v1/evses?limit=10&alternatives_within_h=4&alternatives_every_min=60');
    return body.evses.at(-1).connectors[0].price.alternatives;
  };
  const before = await alternatives();
  expect(before.map(({ cheapest }: { cheapest: boolean }) => cheapest)).toEqual([true, false, false, false]);
  neighbours.accounts.cheaperFrom = rfc3339(Date.parse(before[2].start_at) - 1_800_000);
  const [now, , cheaper] = await alternatives();
  neighbours.accounts.cheaperFrom = undefined;
  expect(now).toMatchObject({ excl_vat: '9.10', incl_vat: '9.56', cheapest: false });
  expect(cheaper).toMatchObject({ excl_vat: '8.10', incl_vat: '8.51', cheapest: true });
  neighbours.accounts.passesThrough = true;
  expect((await alternatives()).map(({ cheapest }: { cheapest: boolean }) => cheapest)).toEqual([false, true, false, false]);
  neighbours.accounts.passesThrough = false;
});

test('a driver reads a month of the own account, page by page or whole as CSV, and the operator that of all', async () => {
  const path = '/v1/account/statements/2022-02';
  const { body } = await avery.get(path);
  expect(body).toMatchObject({
    contract_id: driver.contract_id, month: '2022-02', closed: true, next: '6',
    currencies: [{ opening_balance: '5.00', closing_balance: '-2.56', taxes: [{ code: 'GST', amount: '0.46' }] }],
    lines: [{ kind: 'charge', receipt: { cdr_id: 'R-1' }, amount: '-9.56', balance: '-4.56' }],
  });
  expect((await avery.get(`${path}?after=6`)).body).toMatchObject({ lines: [{ kind: 'payment' }] });
  const csv = await avery.get(`${path}?format=csv`);
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect((csv.body as unknown as string).split('\r\n')).toEqual([
    'currency,kind,at,receipt,started_at,energy_kwh,excl_tax,incl_tax,taxes,amount,balance',
    'CAD,opening,2022-02-01T08:00:00Z,,,,,,,,5.00',
    'CAD,charge,2022-02-01T18:22:00Z,CA*BCT R-1,2022-02-01T17:00:00Z,12.4,9.10,9.56,GST 5% 0.46,-9.56,-4.56',
    'CAD,payment,2022-02-02T18:22:00Z,,,,,,,2.00,-2.56',
    'CAD,closing,2022-03-01T08:00:00Z,,,,,,,,-2.56',
    '',
  ]);
  const ofDriver = `/v1/operator/accounts/${driver.contract_id}/statements/2022-02`;
  expect((await operator.get(ofDriver)).body).toEqual(body);
  expect((await avery.get(ofDriver)).status).toBe(401);
  expect(await operator.get('/v1/operator/accounts/DE-ABC-1/statements/2022-02?format=csv')).toMatchObject({
    status: 404, body: { error: { code: 'unknown-account' } },
  });
  expect((await avery.get('/v1/account/statements/2022-13')).status).toBe(400);
});

test('an order without credit is refused with the reason, and never leaves', async () => {
  neighbours.accounts.noCredit = true;
  expect(await avery.post('/v1/charges', level2)).toMatchObject({ status: 402, body: { error: { code: 'no-credit' } } });
  expect([...neighbours.orders]).toEqual([]);
  neighbours.accounts.noCredit = false;
  expect((await avery.post('/v1/charges', level2)).status).toBe(202);
});

test('an order by a token that is blocked is refused, and never leaves', async () => {
  const before = neighbours.orders.size;
  const [uid, token] = [...neighbours.issued].find(([, { type }]) => type === 'APP_USER')!;
  neighbours.issued.set(uid, { ...token, valid: false });
  expect(await avery.post('/v1/charges', level2)).toMatchObject({ status: 403, body: { error: { code: 'token-blocked' } } });
  expect(neighbours.orders.size).toBe(before);
  neighbours.issued.set(uid, token);
});

test('a driver sees the own account in pages; the operator sees and changes all', async () => {
  const balances = [{ currency: 'CAD', balance: '-9.50', credit_limit: '20.00', left: '10.50' }];
  const receipt = { country_code: 'CA', party_id: 'BCT', cdr_id: 'R-1' };
  expect((await avery.get('/v1/account')).body).toMatchObject({
    contract_id: driver.contract_id, plan: { id: 'plus', name: 'Plus', text: 'You pay.' }, credit: 'there', balances, next: '5',
    lines: [{ id: '6', kind: 'charge', amount: '-9.50', currency: 'CAD', receipt, text: '9.56 CAD by your plan.' }],
  });
  expect((await avery.get('/v1/account?after=5')).body).toMatchObject({ lines: [] });
  expect((await operator.get('/v1/operator/accounts')).body).toMatchObject({ accounts: [{ balances }], next: '7' });
  const path = `/v1/operator/accounts/${driver.contract_id}`;
  expect((await operator.get(path)).body).toMatchObject({ balances, lines: [{ receipt }] });
  expect((await operator.get(`${path}/lines/6/proof`)).body).toMatchObject({ ledger: 'CA*CPK/accounts', contractId: driver.contract_id });
  expect(await operator.get(`${path}/lines/7/proof`)).toMatchObject({ status: 404, body: { error: { code: 'unknown-line' } } });
  expect(await avery.get('/v1/account/lines/6/proof')).toMatchObject({ status: 403, body: { error: { code: 'shows-costs' } } });
  const change = { plan: 'flat', limits: [{ currency: 'CAD', amount: '50' }, { currency: 'EUR', amount: null }] };
  expect((await operator.send('PUT', path, JSON.stringify(change))).status).toBe(200);
  expect(neighbours.accounts.changes).toMatchObject([
    { contractId: driver.contract_id, planId: 'flat', limits: [{ currency: 'CAD', amount: '50' }, { currency: 'EUR' }] },
  ]);
  expect((await operator.post(`${path}/payments`, { currency: 'CAD', amount: '25.00' })).status).toBe(200);
  expect(neighbours.accounts.payments).toMatchObject([{ currency: 'CAD', amount: '25.00' }]);
  expect(await operator.get('/v1/operator/accounts/NOBODY')).toMatchObject({ status: 404, body: { error: { code: 'unknown-account' } } });
  for (const body of [{ limits: [{ currency: 'CAD' }] }, { limits: [{ currency: 'CAD', amount: 5 }] }, { plan: '' }, { credit: 1 }])
    expect((await operator.send('PUT', path, JSON.stringify(body))).status).toBe(400);
  for (const [method, wanted] of [
    ['GET', path],
    ['PUT', path],
    ['POST', `${path}/payments`],
    ['GET', '/v1/operator/accounts'],
    ['GET', `${path}/lines/6/proof`],
  ] as const)
    expect((await avery.send(method, wanted)).status).toBe(401);
});

test('the operator sees how a retail price comes about, and books what was held back', async () => {
  const { body } = await operator.get('/v1/operator/cdrs/CA/BCT/R-1/retail');
  expect(body).toMatchObject({ state: 'booked', price: { total, plan: { id: 'plus' }, steps: [{ what: 'charge', exclVat: '4.47' }] } });
  expect((await operator.post('/v1/operator/cdrs/CA/BCT/R-1/release', {})).body).toMatchObject({ state: 'booked' });
});

test('where no accounts are kept, there is none to see', async () => {
  neighbours.accounts.kept = false;
  expect(await avery.get('/v1/account')).toMatchObject({ status: 404, body: { error: { code: 'accounts-not-kept' } } });
  neighbours.accounts.kept = true;
});
