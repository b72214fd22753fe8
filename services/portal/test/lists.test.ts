import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { toJsonBytes } from '#contracts';
import { listCdrs, listReceivedCdrs } from '#contracts/cdr-ledger';
import { Rejected } from '#decider';
import { listLocations } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import { listSessions } from '#contracts/sessions';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { Client } from './client.ts';

// The neighbours hold five of everything; a CDR's id says whose tokens were asked for.

const key = 'an-operator-key-for-this-test';
const priceDiffers = { code: 'price-differs', detail: 'It says 30.87 CAD, and comes to 3.09 CAD.' };
const partyText = ({ countryCode, partyId }: { countryCode: string; partyId: string }) => `${countryCode}*${partyId}`;

let platform: TestPlatform;
let service: Running;
let bus: Bus;
let operator: Client;

function pageOf(name: string, { offset, limit, dateFrom }: { offset: number; limit: number; dateFrom?: string }) {
  const ids = Array.from({ length: dateFrom === undefined ? 5 : 1 }, (_, i) => ({ id: `${name}-${i}` }));
  // Never more than two on a page, whatever was asked for: as if they were cut by their bytes.
  return { objectsJson: ids.slice(offset, offset + Math.min(limit, 2)).map(toJsonBytes), total: ids.length };
}

beforeAll(async () => {
  platform = await testPlatform({ portal: { operator_keys: [key] } });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'neighbours' });
  const plunk = { countryCode: 'CA', partyId: 'CPK' };
  const role = (name: string) => ({ role: name, party: plunk, name: 'Carbon Plunk' });
  const partner = { partnerId: 'p1', name: 'First partner', state: 'registered', roles: [role('CPO'), role('EMSP')] };
  await bus.answer(listPartners, (requests) => requests.map(() => (
    { partners: [partner, { partnerId: 'p2', name: 'Second partner', state: 'invited' }] })));
  await bus.answer(listLocations, (requests) => requests.map(({ page }) => pageOf('SITE', page!)));
  await bus.answer(listSessions, (requests) => requests.map(({ tokenParties, anyToken, openOnly, page }) => (
    pageOf(`${openOnly ? 'OPEN ' : ''}${anyToken ? 'ANY' : tokenParties.map(partyText).join(' ')}`, page!))));
  await bus.answer(listCdrs, (requests) => 
    requests.map(({ tokenParties, anyToken, page }) => pageOf(anyToken ? 'ANY' : tokenParties.map(partyText).join(' '), page!)),
  );
  await bus.answer(listReceivedCdrs, (requests) => requests.map(({ issuer, inDoubt, after, limit }) => {
    if (after === 'x') return new Rejected('invalid-cursor', 'after: is none that this ledger gave');
    const from = Number(after || '0');
    const ids = Array.from({ length: 5 }, (_, i) => ({ id: `${issuer ? partyText(issuer) : 'R'}-${i}` })).slice(from, from + limit);
    if (inDoubt) return { cdrsJson: [ids[0]!].map(toJsonBytes), found: [{ findings: [priceDiffers] }], next: '' };
    return { cdrsJson: ids.map(toJsonBytes), found: ids.map(() => ({})), next: from + limit < 5 ? String(from + limit) : '' };
  }));
  service = await start(platform.env);
  operator = new Client(service.urls!.portal!).with({ 'x-api-key': key });
});
afterAll(async () => {
  await service?.stop();
  await bus?.close();
  await platform?.drop();
});

test.each([
  ['locations', 'SITE'], ['sessions', 'ANY'], ['cdrs', 'ANY'],
])('an operator who knows no id walks through all %s', async (list, name) => {
  const ids: string[] = [];
  let next: number | undefined = 0;
  for (let page = 0; next !== undefined && page < 9; page += 1) {
    const { status, body } = await operator.get(`/v1/operator/${list}?offset=${next}&limit=3`);
    expect(status).toBe(200);
    expect(body.total).toBe(5);
    ids.push(...body.objects.map(({ id }: { id: string }) => id));
    next = body.next_offset;
  }
  expect(ids).toEqual([0, 1, 2, 3, 4].map((i) => `${name}-${i}`));
  expect((await operator.get(`/v1/operator/${list}?date_from=2022-02-01T00:00:00Z`)).body).toMatchObject({ total: 1 });
});

test('sessions and CDRs of one party are listed by its name', async () => {
  const { body } = await operator.get('/v1/operator/cdrs?country_code=ca&party_id=cpk&limit=1');
  expect(body).toMatchObject({ objects: [{ id: 'CA*CPK-0' }], total: 5, next_offset: 1 });
  expect(await operator.get('/v1/operator/sessions?party_id=CPK')).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid-request' } },
  });
});

test('sessions that are not over are listed by themselves', async () => {
  expect((await operator.get('/v1/operator/sessions?open=true&limit=1')).body).toMatchObject({ objects: [{ id: 'OPEN ANY-0' }] });
  expect((await operator.get('/v1/operator/sessions?open=no')).status).toBe(400);
});

test('CDRs that partners sent are walked through by a cursor, all or those of one issuer', async () => {
  const walked = async (query: string) => {
    const ids: string[] = [];
    for (let next = '', page = 0; page < 9; page += 1) {
      const { status, body } = await operator.get(`/v1/operator/cdrs/received?limit=2&after=${next}${query}`);
      expect(status).toBe(200);
      ids.push(...body.objects.map(({ id }: { id: string }) => id));
      next = body.next;
      if (next === '') return ids;
    }
    throw new Error('there is no end');
  };
  expect(await walked('')).toEqual(['R-0', 'R-1', 'R-2', 'R-3', 'R-4']);
  expect(await walked('&country_code=ca&party_id=eoa')).toEqual(['CA*EOA-0', 'CA*EOA-1', 'CA*EOA-2', 'CA*EOA-3', 'CA*EOA-4']);
  expect(await operator.get('/v1/operator/cdrs/received?after=x')).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid-cursor' } },
  });
  expect((await operator.get('/v1/operator/cdrs/received?party_id=EOA')).status).toBe(400);
});

test('CDRs in which something was found are listed with it', async () => {
  const { body } = await operator.get('/v1/operator/cdrs/received?in_doubt=true');
  expect(body).toEqual({ objects: [{ id: 'R-0' }], findings: [[{ ...priceDiffers, figures: {} }]], next: '' });
  expect((await operator.get('/v1/operator/cdrs/received?limit=2')).body).toMatchObject({ findings: [[], []] });
  expect((await operator.get('/v1/operator/cdrs/received?in_doubt=perhaps')).status).toBe(400);
});

test.each([
  ['limit=1000', 'limit: a whole number from 1 to 100'],
  ['offset=-1', 'offset: at least 0'],
  ['date_from=yesterday', 'date_from: an instant in UTC'],
  ['date_from=2022-02-30T17:00:00Z', 'date_from: an instant in UTC'],
  ['date_to=2022-02-01T25:00:00Z', 'date_to: an instant in UTC'],
])('%s is refused with its bounds', async (query, said) => {
  const { status, body } = await operator.get(`/v1/operator/cdrs?${query}`);
  expect(status).toBe(400);
  expect(body.error.detail).toContain(said);
});

test('lists are the operator\'s alone, and a partner is called what it calls itself', async () => {
  const anyone = new Client(service.urls!.portal!);
  expect((await anyone.get('/v1/operator/cdrs')).status).toBe(401);
  const { partners } = (await operator.get('/v1/operator/partners')).body;
  expect(partners.map(({ name }: { name: string }) => name)).toEqual(['Carbon Plunk', 'Second partner']);
});
