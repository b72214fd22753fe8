import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { listDifferences, listPartners, pullPartner } from '#contracts/ocpi-gateway';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, type Location } from '#ocpi';
import type { Running } from '#service';
import { start } from '../src/start.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// An eMSP's gateway, of which two run, and what it does about pushes that tell of more than it has. The partner is worked by hand.

const owner = { country_code: 'CA', party_id: 'EOA' };
const minute = (n: number) => `2022-02-01T17:${String(n).padStart(2, '0')}:00Z`;
const location = (id: string, n: number, more: Partial<Location> = {}) => ({
  ...exampleLocation,
  ...owner,
  id,
  last_updated: minute(n),
  ...more,
});

let plunk: Side;
let second: Running;
let cpo: HandPartner;
let partnerId: string;
/** What the CPO has: its objects by the paths of their URLs, and its lists. */
let there: Record<string, unknown>;

const answer = (what: string) => {
  const { pathname } = new URL(what.slice(4), cpo.base);
  if (!what.startsWith('GET ')) return {};
  return pathname in there ? { data: there[pathname], headers: { 'X-Total-Count': '1', 'X-Limit': '50' } } : { http: 404, status: 2003 };
};

beforeAll(async () => {
  plunk = await openSide({
    party: { ...plunkParty, roles: ['EMSP', 'CPO'] },
    ocpi: {
      allow_private_urls: true,
      first_retry_ms: 50,
      longest_retry_ms: 400,
      pull: { first_s: 0, splay_s: 0, fetch_after_s: 1, fetch_again_s: 2 },
    },
  });
  second = await start({ ...plunk.platform.env, OCPI_PORT: '0' });
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER locations', 'SENDER sessions', 'SENDER tokens', 'SENDER tariffs'], ['EMSP']);
  there = {};
  cpo.answer = answer;
  await cpo.register(plunk);
  ({ partnerId } = (await plunk.neighbours.bus.ask(listPartners, {})).partners[0]!);
  await vi.waitFor(() => expect(cpo.pushed('GET /sessions')).toHaveLength(1), { timeout: 60_000 });
});
afterAll(async () => {
  await cpo?.close();
  await second?.stop();
  await plunk?.close();
});
beforeEach(() => {
  cpo.answer = answer;
  cpo.seen.length = 0;
});

const receiver = (path: string) => `/ocpi/2.2.1/receiver/${path}`;
const push = (method: string, path: string, body: object, of = plunk) => call(of, receiver(path), { method, body, token: cpo.token });
const pushToSecond = (method: string, path: string, body: object) =>
  call(plunk, `${new URL(second.urls!.ocpi!).origin}${receiver(path)}`, { method, body, token: cpo.token });
const held = (key: string) => plunk.neighbours.partners.get(key.toUpperCase());
const found = async () =>
  (await plunk.neighbours.bus.ask(listDifferences, { partnerId, limit: 100 })).differences.map(
    ({ objectId, what }) => `${objectId} ${what}`,
  );

test('TRN-63, LOC-34: a PATCH that comes late is acknowledged, and the Location is got from its owner, with what the PATCH said', async () => {
  expect((await push('PUT', 'locations/CA/EOA/L-1', location('L-1', 1))).status_code).toBe(1000);
  there['/locations/L-1'] = location('L-1', 5, { name: 'Late', city: 'Burnaby' });
  expect((await push('PATCH', 'locations/CA/EOA/L-1', { city: 'Burnaby', last_updated: minute(5) })).status_code).toBe(
    1000,
  );
  expect(await push('PATCH', 'locations/CA/EOA/L-1', { name: 'Late', last_updated: minute(3) })).toMatchObject({
    http: 200,
    status_code: 1000,
  });
  await expect.poll(() => held('location CA*EOA L-1')).toEqual(there['/locations/L-1']);
  expect(cpo.pushed()).toEqual(['GET /locations/L-1']);
  expect(cpo.seen[0]!.headers).toMatchObject({ 'ocpi-to-party-id': 'EOA', 'ocpi-from-party-id': 'CPK' });
  await expect.poll(found).toContain('l-1 changed');
});

test('what the owner has is taken also when its last_updated is older than what was pushed: parents are not always raised, clocks go back', async () => {
  await push('PUT', 'locations/CA/EOA/L-2', location('L-2', 30));
  there['/locations/L-2'] = location('L-2', 10, { name: 'By a clock that was put right' });
  await push('PATCH', 'locations/CA/EOA/L-2', { name: 'By a clock that was put right', last_updated: minute(10) });
  await expect.poll(() => held('location CA*EOA L-2')).toEqual(there['/locations/L-2']);
});

test('LOC-34: a PUT that is older than what is held has its object got, too: nobody whose clock was ahead once is heard late for long', async () => {
  const token = { ...exampleToken, ...owner, uid: 'AHEAD', last_updated: '2099-01-01T00:00:00Z' };
  await push('PUT', 'tokens/CA/EOA/AHEAD', token);
  const blocked = { ...token, valid: false, last_updated: minute(10) };
  there['/tokens'] = [blocked];
  expect(await push('PUT', 'tokens/CA/EOA/AHEAD', blocked)).toMatchObject({ http: 200, status_code: 1000 });
  await expect.poll(() => held('token CA*EOA RFID AHEAD')).toEqual(blocked);
  const tariff = { ...exampleTariff, ...owner, id: 'AHEAD', last_updated: '2099-01-01T00:00:00Z' };
  await push('PUT', 'tariffs/CA/EOA/AHEAD', tariff);
  const dearer = { ...tariff, tariff_alt_text: [{ language: 'en', text: 'Dearer' }], last_updated: minute(10) };
  there['/tariffs'] = [dearer];
  expect(await push('PUT', 'tariffs/CA/EOA/AHEAD', dearer)).toMatchObject({ http: 200, status_code: 1000 });
  await expect.poll(() => held('tariff CA*EOA AHEAD')).toEqual(dearer);
});

test('LOC-34: a PATCH of a Location or an EVSE that is not here is answered 404, and the Location is got', async () => {
  there['/locations/L-3'] = location('L-3', 5);
  expect((await push('PATCH', 'locations/CA/EOA/L-3/L2-01', { status: 'CHARGING', last_updated: minute(6) })).http).toBe(404);
  await expect.poll(() => held('location CA*EOA L-3')).toEqual(there['/locations/L-3']);
  await expect.poll(found).toContain('l-3 missing');
});

test('repeated PATCHes in both processes cause one GET; those that come after it one more, and not at once', async () => {
  await push('PUT', 'locations/CA/EOA/L-4', location('L-4', 20));
  there['/locations/L-4'] = location('L-4', 20, { name: 'Once' });
  const patch = { name: 'Once', last_updated: minute(4) };
  await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? push : pushToSecond)('PATCH', 'locations/CA/EOA/L-4', patch)));
  await expect.poll(() => held('location CA*EOA L-4')).toEqual(there['/locations/L-4']);
  expect(cpo.pushed('GET')).toHaveLength(1);
  there['/locations/L-4'] = location('L-4', 20, { name: 'Twice' });
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? push : pushToSecond)('PATCH', 'locations/CA/EOA/l-4', { ...patch, name: 'Twice' }),
    ),
  );
  await expect.poll(() => held('location CA*EOA L-4')).toEqual(there['/locations/L-4']);
  expect(cpo.pushed('GET')).toHaveLength(2);
});

test('SES-01, D23: a Session that is not here, or not whole, is got from the list since the PATCH, which says no more than it has to', async () => {
  const session = { ...exampleSession, ...owner, id: 'S-1', last_updated: minute(9), kwh: 7 };
  there['/sessions'] = [session];
  expect(
    (await push('PATCH', 'sessions/CA/EOA/S-1', { kwh: 7, last_updated: new Date().toISOString().slice(0, 19) + 'Z' }))
      .http,
  ).toBe(404);
  expect((await push('PATCH', 'sessions/CA/EOA/S-2', { kwh: 7, last_updated: minute(9) })).http).toBe(404);
  await expect.poll(() => held('session CA*EOA S-1')).toEqual(session);
  const lists = cpo.pushed('GET /sessions');
  expect(lists).toHaveLength(1);
  // Older than a week is as old as a week.
  expect(Date.parse(new URL(lists[0]!.slice(4), cpo.base).searchParams.get('date_from')!)).toBeGreaterThan(
    Date.now() - 8 * 86_400_000,
  );
  await expect.poll(found).toContain('s-2 invalid');
});

test('TOK-02: a Token of a type that is PATCHed and not here is got from the list', async () => {
  const token = { ...exampleToken, ...owner, uid: 'APP-1', type: 'APP_USER', last_updated: minute(9) };
  there['/tokens'] = [token];
  expect((await push('PATCH', 'tokens/CA/EOA/APP-1?type=APP_USER', { valid: true, last_updated: minute(9) })).http).toBe(404);
  await expect.poll(() => held('token CA*EOA APP_USER APP-1')).toEqual(token);
});

test('a partner that is down, says 429 or cannot be understood is asked again, also after a restart of both processes', async () => {
  await push('PUT', 'locations/CA/EOA/L-5', location('L-5', 20));
  there['/locations/L-5'] = location('L-5', 20, { name: 'After the outage' });
  cpo.answer = (what) => (what.startsWith('GET') ? 'hang up' : {});
  await push('PATCH', 'locations/CA/EOA/L-5', { name: 'After the outage', last_updated: minute(4) });
  await expect.poll(() => cpo.pushed('GET').length).toBeGreaterThan(1);
  await second.stop();
  await plunk.gateway.stop();
  cpo.seen.length = 0;
  await plunk.restart();
  second = await start({ ...plunk.platform.env, OCPI_PORT: '0' });
  await expect.poll(() => cpo.pushed('GET').length).toBeGreaterThan(1);
  cpo.answer = (what) => (what.startsWith('GET') ? { http: 503, status: 3000 } : {});
  cpo.seen.length = 0;
  await expect.poll(() => cpo.pushed('GET').length).toBeGreaterThan(1);
  cpo.answer = answer;
  await expect.poll(() => held('location CA*EOA L-5')).toEqual(there['/locations/L-5']);
});

test('what cannot be got by its own URL is looked for in the list; what is nowhere is said to the operator, and asked for no more', async () => {
  there['/locations'] = [location('L-6', 5)];
  expect((await push('PATCH', 'locations/CA/EOA/L-6', { name: 'x', last_updated: minute(4) })).http).toBe(404);
  await expect.poll(() => held('location CA*EOA L-6')).toEqual(location('L-6', 5));
  // What was PATCHed late in a test before may be got once more.
  const asked = cpo.pushed('GET').map((what) => what.split('?')[0]).filter((what) => !/\/L-[1-5]$/i.test(what!));
  expect(asked).toEqual(['GET /locations/L-6', 'GET /locations']);
  await push('PATCH', 'locations/CA/EOA/L-NONE', { name: 'x', last_updated: minute(4) });
  await expect.poll(found).toContain('l-none invalid');
});

test('TRN-14: an operator\'s pull, and one after new credentials, does not wait for the next of those that come now and then', async () => {
  there = { '/locations': [location('L-7', 5)], '/sessions': [], '/tokens': [] };
  await plunk.neighbours.bus.ask(pullPartner, { partnerId, full: false });
  await expect.poll(() => held('location CA*EOA L-7')).toEqual(location('L-7', 5));
  cpo.answer = (what) => (what.startsWith('PUT') ? {} : answer(what));
  there['/locations'] = [location('L-8', 5)];
  const renewed = await call(plunk, '/ocpi/2.2.1/credentials', { token: cpo.token, method: 'PUT', body: cpo.credentials() });
  cpo.token = (renewed.data as { token: string }).token;
  await expect.poll(() => held('location CA*EOA L-8')).toEqual(location('L-8', 5));
});
