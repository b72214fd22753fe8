import { afterAll, beforeAll, expect, test } from 'vitest';
import { extractText, getDocumentProxy } from 'unpdf';
import { listLocations } from '#contracts/locations';
import { getTariff, listTariffs } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import type { Running } from '#service';
import { exampleTerms, termsDigest } from '#settlement';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { Client } from './client.ts';
import { Neighbours } from './neighbours.ts';

const operatorKey = 'an-operator-key-for-this-test';
const statement = '/v1/operator/statements/CA/BCT/2022-02';
const agreement = '/v1/operator/partners/ca/bct/agreement';

let platform: TestPlatform;
let neighbours: Neighbours;
let service: Running;
let operator: Client;

beforeAll(async () => {
  const plunk = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' };
  platform = await testPlatform({ party: plunk, drivers: [], portal: { operator_keys: [operatorKey] } });
  neighbours = await Neighbours.play(platform);
  service = await start(platform.env);
  operator = new Client(service.urls!.portal!).with({ 'x-api-key': operatorKey });
});
afterAll(async () => {
  await service?.stop();
  await neighbours?.close();
  await platform?.drop();
});

const set = (body: object) => operator.send('PUT', agreement, JSON.stringify(body));

async function file(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(service.urls!.portal! + path, { headers: { 'x-api-key': operatorKey, ...headers } });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

test('an agreement is set and looked up, with the fingerprint that the partner has too', async () => {
  const { closing_days: _, payment_days: __, fee_tax_place: ___, ...rest } = exampleTerms;
  const { status, body: { warnings, ...body } } = await set(rest);
  expect([status, body]).toMatchObject([200, { version: 1, fingerprint: termsDigest(exampleTerms), agreement: exampleTerms }]);
  expect((await operator.get(agreement)).body).toEqual({ versions: [body] });
  expect(warnings).toEqual([]);
});

test('what an agreement grants that is not here, and a partner that is none, are said with what there is; it is set all the same', async () => {
  const { bus } = neighbours;
  const sites = ['VISITORS-1', 'VISITORS-2', 'STAFF'];
  const isLike = (pattern: string, id: string) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(id);
  const locations = await bus.answer(listLocations, (requests) =>
    requests.map(({ granted, page }) => {
      const found = sites.filter((id) => granted.every(({ ids }) => ids.some((one) => isLike(one, id))));
      return { objectsJson: found.slice(0, page!.limit).map((id) => toJsonBytes({ id })), total: found.length };
    }),
  );
  const tariffs = [
    await bus.answer(getTariff, (requests) =>
      requests.map(({ tariffId }) =>
        tariffId === 'PARTNERS' ? { version: 1, tariffJson: toJsonBytes({ id: 'PARTNERS' }) } : {},
      ),
    ),
    await bus.answer(listTariffs, (requests) =>
      requests.map(() => ({ objectsJson: [toJsonBytes({ id: 'PARTNERS' })], total: 1 })),
    ),
  ];
  const grants = { tariffs: ['PARTNERS', 'PARTNRES'], locations: ['visitors-*', 'STAF', 'STAFF'] };
  expect((await set({ ...exampleTerms, grants })).body).toMatchObject({
    agreement: { grants },
    warnings: [
      'grants.locations: no Location of yours is like "STAF"; there is VISITORS-1, VISITORS-2, STAFF',
      'grants.tariffs: you have no tariff "PARTNRES"; there is PARTNERS',
    ],
  });
  expect((await set({ ...exampleTerms, grants: { tariffs: ['PARTNERS'], locations: ['*'] } })).body.warnings).toEqual(
    [],
  );
  const parties = exampleTerms.parties.map((one) => (one.party_id === 'BCT' ? { ...one, party_id: 'BTC' } : one));
  const other = await operator.send(
    'PUT',
    agreement.replace('bct', 'btc'),
    JSON.stringify({ ...exampleTerms, parties }),
  );
  expect(other.body.warnings).toEqual(['parties: no partner is CA*BTC yet; there is CA*BCT, CA*BHD']);
  const behindHub = exampleTerms.parties.map((one) => (one.party_id === 'BCT' ? { ...one, party_id: 'BHD' } : one));
  const reached = await operator.send(
    'PUT', agreement.replace('bct', 'bhd'), JSON.stringify({ ...exampleTerms, parties: behindHub }),
  );
  expect(reached.body.warnings, 'a partner that a hub reaches').toEqual([]);
  await Promise.all([locations, ...tariffs].map((one) => one.stop()));
  expect((await set({ ...exampleTerms, grants })).body.warnings, 'those who know are away').toEqual([
    'grants.locations: could not be checked now, whether they are here',
    'grants.tariffs: could not be checked now, whether they are here',
  ]);
});

test('a registration for a tax by a name that no fee is taxed by is told', async () => {
  const parties = exampleTerms.parties.map((one) => (
    { ...one, registrations: one.registrations.map(({ tax, number }) => ({ tax: tax === 'QST' ? 'TVQ' : tax, number })) }));
  expect((await set({ ...exampleTerms, parties })).body.warnings).toEqual([
    'parties[1].registrations: "TVQ" of CA*CPK is none of GST, HST, QST: no fee of theirs carries it',
  ]);
  expect((await set({ ...exampleTerms, parties: exampleTerms.parties.map((one) => ({ ...one, country: 'FRA', registrations: [{ tax: 'TVA', number: '1' }] })) })).body.warnings).toEqual([]);
});

test.each([
  [{ valid_from: '2022-1' }, 'body.valid_from'],
  [{ closing_days: 400 }, 'body.closing_days'],
  [{ fees: [{ ...exampleTerms.fees[0]!, amount: 0.25 }] }, 'body.fees.0.amount'],
  [{ parties: [] }, 'body.parties'],
  [{ surprise: true }, 'body'],
])('an agreement with %j is refused by name', async (more, where) => {
  const { status, body } = await set({ ...exampleTerms, ...more });
  expect([status, body.error.code]).toEqual([400, 'invalid-request']);
  expect(body.error.detail).toContain(where);
});

test('what the owner of agreements refuses is told', async () => {
  const { status, body } = await set({ ...exampleTerms, valid_from: '2022-01' });
  expect([status, body.error.code]).toEqual([409, 'month-closed']);
});

test('a statement is JSON unless something else is asked for', async () => {
  const { body } = await operator.get(statement);
  expect(body).toMatchObject({ statement: { month: '2022-02', state: 'closed' }, notes: { awaiting: 0 }, text: 'Owed for 2022-02' });
  expect((await operator.get(`${statement}?format=json`)).body).toEqual(body);
  expect((await operator.get(`${statement}?format=xml`)).status).toBe(400);
  expect((await file(statement, { accept: 'image/png' })).status).toBe(406);
});

test.each([
  ['?format=csv', {}],
  ['', { accept: 'text/csv, application/json;q=0.5' }],
])('%s %j is all lines as CSV', async (query, headers) => {
  const { headers: got, bytes } = await file(statement + query, headers);
  expect(got.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(got.get('content-disposition')).toBe('attachment; filename="statement-CA-BCT-2022-02.csv"');
  const rows = bytes.toString().trimEnd().split('\r\n');
  expect(rows.filter((row) => row.includes(',cdr,S-'))).toHaveLength(7);
  expect(rows.filter((row) => row.includes(',fee,Roaming fee,'))).toHaveLength(1);
});

test('a statement is a PDF, the same bytes every time', async () => {
  const [one, other] = [await file(`${statement}?format=pdf`), await file(statement, { accept: 'application/pdf' })];
  expect(one.headers.get('content-type')).toBe('application/pdf');
  expect(one.bytes.equals(other.bytes)).toBe(true);
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(one.bytes)), { mergePages: true });
  expect(text).toContain('Carbon Plunk Ltée owes Energy OASIS Inc.');
});

test('the lines of a statement are read page by page', async () => {
  const found: string[] = [];
  for (let after = ''; ;) {
    const { body } = await operator.get(`${statement}/lines?after=${after}&limit=5`);
    const { lines, next } = body as unknown as { lines: { cdr_id: string }[]; next: string };
    if (lines.length === 0) break;
    found.push(...lines.map(({ cdr_id }) => cdr_id));
    after = next;
  }
  expect(new Set(found).size).toBe(7);
});

test('the description of the door names the documents', async () => {
  const { body } = await operator.get('/openapi.json');
  const { get } = body.paths['/v1/operator/statements/{country_code}/{party_id}/{month}'];
  expect(Object.keys(get.responses['200'].content)).toEqual(['application/json', 'text/csv', 'application/pdf']);
  expect(body.paths['/v1/operator/partners/{country_code}/{party_id}/agreement']).toHaveProperty('put');
});
