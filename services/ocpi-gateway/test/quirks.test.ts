import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Fact, told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import {
  chooseQuirks, invitePartner, listPartners, listQuirks, type PartnerQuirk, pullPartner, registerPartner, sendCommand,
} from '#contracts/ocpi-gateway';
import { commandFinished } from '#contracts/sessions';
import { tariffPublished } from '#contracts/tariff-engine';
import { evseStatusChanged } from '#contracts/locations';
import { toJsonBytes } from '#contracts';
import { authorization, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, type Location } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// What partners do otherwise than OCPI has it: each is noticed and said, and where something is to be chosen, chosen and then so.

const bct = { countryCode: 'CA', partyId: 'BCT' };
const mtl = { country_code: 'CA', party_id: 'MTL' };
const location: Location = { ...exampleLocation, id: 'BURNABY' };

let oasis: Side;
let partner: HandPartner;
let partnerId: string;

beforeAll(async () => {
  oasis = await openSide({
    party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' },
    ocpi: {
      allow_private_urls: true,
      request_timeout_ms: 5_000,
      first_retry_ms: 50,
      longest_retry_ms: 200,
      pull: { first_s: 3_600, splay_s: 0 },
    },
  });
  oasis.neighbours.own.locations.push(location);
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', [
    'RECEIVER locations', 'RECEIVER tariffs', 'RECEIVER cdrs', 'RECEIVER commands', 'SENDER commands',
    'SENDER locations', 'SENDER tariffs', 'SENDER sessions', 'SENDER cdrs',
  ], ['CPO']);
  await partner.register(oasis);
  ({ partnerId } = (await ask().ask(listPartners, {})).partners[0]!);
});
afterAll(async () => {
  await partner?.close();
  await oasis?.close();
});
beforeEach(async () => {
  partner.answer = () => ({});
  partner.seen.length = 0;
});

const ask = () => oasis.neighbours.bus;
const of = async (name: string, id = partnerId): Promise<PartnerQuirk> =>
  (await ask().ask(listQuirks, { partnerId: id })).quirks.find((one) => one.name === name)!;
const times = async (name: string) => (await of(name)).times;
const choose = (name: string) => ask().ask(chooseQuirks, { partnerId, set: [name], unset: [] });
const receiver = (path: string) => `/ocpi/2.2.1/receiver/${path}`;
const push = (method: string, path: string, body: unknown) => call(oasis, receiver(path), { method, body, token: partner.token });
const published = (id: string): Fact =>
  told(tariffPublished, {
    own: true,
    party: bct,
    tariffId: id,
    version: 1,
    tariffJson: toJsonBytes({ ...exampleTariff, id }),
    lastUpdated: exampleTariff.last_updated,
  });
const pull = () => ask().ask(pullPartner, { partnerId, full: true });

/** A list of the partner, two on a page, with the headers that it sends. */
function listing(module: string, objects: readonly unknown[], headersOf: (more: boolean, url: URL) => Record<string, string | undefined>) {
  return (what: string) => {
    const url = new URL(what.slice(4), partner.base);
    if (!what.startsWith(`GET /${module}`))
      return what.startsWith('GET') ? { data: [], headers: { 'X-Total-Count': '0', 'X-Limit': '2' } } : {};
    const offset = Number(url.searchParams.get('offset') ?? 0);
    url.searchParams.set('offset', String(offset + 2));
    return { data: objects.slice(offset, offset + 2), headers: headersOf(offset + 2 < objects.length, url) };
  };
}

test.each([
  ['odd-token-scheme', () => `tOKEN   ${Buffer.from(partner.token).toString('base64')}`],
  ['newline-in-token', () => `Token ${Buffer.from(`${partner.token}\n`).toString('base64')}`],
  ['unencoded-token', () => `Token ${partner.token}`],
])('TRN-01, TRN-03, TRN-04: %s: the token is known all the same, and the partner is known for it', async (name, header) => {
  const before = await times(name);
  const path = `/ocpi/2.2.1/sender/locations`;
  expect((await call(oasis, path, { headers: { Authorization: header() } })).status_code).toBe(1000);
  await expect.poll(() => times(name)).toBe(before + 1);
  expect((await call(oasis, path, { token: partner.token })).status_code).toBe(1000);
  const { suggested, lastAt, detail, accepted } = await of(name);
  expect([suggested, detail]).toEqual([name === 'unencoded-token', 'GET of locations']);
  expect(Date.parse(lastAt!)).toBeGreaterThan(0);
  expect(accepted).not.toBe('');
});

test('TRN-04: only where an operator chose it a token goes out unencoded, and from the next request on; unchosen it is encoded again', async () => {
  const authorizations = () =>
    partner.seen.filter(({ what }) => what.includes('/tariffs/')).map(({ headers }) => headers.authorization);
  await oasis.neighbours.tell(published('Q-1'));
  await expect.poll(authorizations).toEqual([authorization('token-of-MTL')]);
  await choose('unencoded-token');
  expect(await of('unencoded-token')).toMatchObject({ suggested: false, chosenAt: expect.stringMatching(/^\d{4}-/) });
  await oasis.neighbours.tell(published('Q-2'));
  await expect.poll(() => authorizations().at(-1)).toBe('Token token-of-MTL');
  await ask().ask(chooseQuirks, { partnerId, set: [], unset: ['unencoded-token'] });
  await oasis.neighbours.tell(published('Q-3'));
  await expect.poll(authorizations).toHaveLength(3);
  expect(authorizations().at(-1)).toBe(authorization('token-of-MTL'));
  expect(await of('unencoded-token')).toMatchObject({ suggested: true });
});

test('what is no quirk, or is accepted from everybody, cannot be chosen; nothing of such a choice is kept', async () => {
  const refused = (set: string[], id = partnerId) =>
    ask()
      .ask(chooseQuirks, { partnerId: id, set, unset: [] })
      .catch((error: unknown) => String(error));
  expect(await refused(['no-link', 'no-linc'])).toContain(
    'no-such-quirk: there is no quirk "no-linc"; those to choose are unencoded-token',
  );
  expect(await refused(['no-total-count'])).toContain('is accepted from everybody');
  expect(await refused(['no-link'], 'nobody')).toContain('unknown-partner');
  expect((await of('no-link')).chosenAt).toBeUndefined();
});

test('TRN-80: a request without message ids is answered with made-up ones, and noted', async () => {
  const { headers } = await call(oasis, '/ocpi/2.2.1/sender/locations', { token: partner.token });
  expect(headers.get('x-request-id')).toMatch(/./);
  await expect.poll(() => times('no-message-ids')).toBeGreaterThan(0);
  // What is seen later is noted later: once this one is, all before it are.
  const withIds = async () => {
    const schemes = await times('odd-token-scheme');
    await call(oasis, '/ocpi/2.2.1/sender/locations', {
      token: partner.token,
      headers: { 'X-Request-ID': 'r', 'X-Correlation-ID': 'c', Authorization: `token ${partner.token}` },
    });
    await expect.poll(() => times('odd-token-scheme')).toBeGreaterThan(schemes);
  };
  await withIds();
  const before = await times('no-message-ids');
  await withIds();
  expect(await times('no-message-ids')).toBe(before);
});

test('TRN-23, CMD-04: a wrapped result is understood; ours go bare, and wrapped where the partner has that quirk', async () => {
  const order = {
    orderId: 'W-1',
    party: { countryCode: 'CA', partyId: 'MTL' },
    command: 'STOP_SESSION',
    bodyJson: toJsonBytes({ session_id: 'S-1' }),
  };
  partner.answer = (what) =>
    what.includes('/commands/')
      ? { data: { result: 'ACCEPTED', timeout: 30 } }
      : what.includes('/result')
        ? { status: 2001 }
        : {};
  await ask().ask(sendCommand, order);
  const { response_url: url } = partner.seen.find(({ what }) => what.includes('/commands/'))!.body as { response_url: string };
  const wrapped = { data: { result: 'ACCEPTED' }, status_code: 1000, timestamp: '2022-02-01T17:00:00Z' };
  expect((await call(oasis, url, { method: 'POST', token: partner.token, body: wrapped })).status_code).toBe(1000);
  await expect.poll(() => oasis.neighbours.results.map(({ orderId, result }) => `${orderId} ${result}`)).toEqual(['W-1 ACCEPTED']);
  await expect.poll(async () => (await of('wrapped-results')).detail).toContain('came in an envelope');

  oasis.neighbours.answers.startSession = async ({ orderId }) => {
    await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
    return { result: 'ACCEPTED' };
  };
  const start = () => push('POST', 'commands/START_SESSION', {
    response_url: `${partner.base}/result`, token: { ...exampleToken, ...mtl }, location_id: 'BURNABY', evse_uid: 'L2-01',
  });
  const results = () => partner.seen.filter(({ what }) => what === 'POST /result').map(({ body }) => body);
  expect((await start()).data).toMatchObject({ result: 'ACCEPTED' });
  await expect.poll(results).toEqual([{ result: 'ACCEPTED' }]);
  await expect.poll(async () => (await of('wrapped-results')).detail).toContain('was refused');
  expect((await of('wrapped-results')).suggested).toBe(true);
  await choose('wrapped-results');
  await start();
  await expect.poll(results).toHaveLength(2);
  expect(results()[1]).toMatchObject({ data: { result: 'ACCEPTED' }, status_code: 1000, timestamp: expect.stringMatching(/^\d{4}-/) });
});

const tariffs = ['A', 'B', 'C', 'D', 'E'].map((id) => ({ ...exampleTariff, ...mtl, id }));
const held = () =>
  [...oasis.neighbours.partners.keys()]
    .filter((key) => key.startsWith('TARIFF CA*MTL'))
    .map((key) => key.at(-1)!)
    .sort()
    .join('');

test('TRN-52: a list without X-Total-Count and X-Limit is read to its end by its Links, and noted', async () => {
  partner.answer = listing('tariffs', tariffs, (more, url) => (more ? { Link: `<${url.href}>; rel="next"` } : {}));
  await pull();
  await expect.poll(held).toBe('ABCDE');
  await expect.poll(() => times('no-total-count')).toBe(3);
  await expect.poll(() => times('no-page-limit')).toBe(3);
  expect(await of('no-total-count')).toMatchObject({ suggested: false, chosen: '' });
  // The last of its lists.
  await expect.poll(() => partner.pushed('GET /cdrs')).toHaveLength(1);
});

test('TRN-52, TRN-57: a list that ends before its count is not whole: nothing of it is gone; with its quirk chosen it is read by offset', async () => {
  const six = [...tariffs.slice(1), { ...exampleTariff, ...mtl, id: 'F' }];
  partner.answer = listing('tariffs', six, () => ({ 'X-Total-Count': '5', 'X-Limit': '2' }));
  const lists = () => partner.pushed('GET /tariffs');
  await pull();
  await expect.poll(async () => (await of('no-link')).detail).toBe('GET of tariffs: 3 of 5 are on no page that a Link led to');
  await expect.poll(() => partner.pushed('GET /cdrs')).toHaveLength(1);
  expect([lists().length, held()]).toEqual([1, 'ABCDE']);
  expect((await of('no-link')).suggested).toBe(true);
  await choose('no-link'); // Nobody has to ask for what was missed.
  await expect.poll(held).toBe('BCDEF');
  expect(
    lists()
      .slice(1)
      .map((what) => what.split('?')[1]),
  ).toEqual([undefined, 'offset=2', 'offset=4', undefined, 'offset=2', 'offset=4']); // Again, because A is missing.
  await expect.poll(() => partner.pushed('GET /cdrs')).toHaveLength(2);
});

test('TRN-52: a list whose full pages have neither Link nor X-Total-Count is read to its end by offset, and the quirk is suggested', async () => {
  await ask().ask(chooseQuirks, { partnerId, set: [], unset: ['no-link'] });
  partner.answer = listing('tariffs', ['F', 'G', 'H', 'I'].map((id) => ({ ...exampleTariff, ...mtl, id })), () => ({ 'X-Limit': '2' }));
  await pull();
  await expect.poll(held).toBe('FGHI');
  await expect.poll(() => of('no-link')).toMatchObject({ suggested: true, detail: expect.stringContaining('told of ?offset=2') });
  await expect.poll(() => partner.pushed('GET /cdrs')).toHaveLength(1);
});

test('TRN-50: a partner that refuses date_from is read whole each time, once that is chosen; Sessions go on to be asked by date', async () => {
  partner.answer = (what) =>
    what.includes('date_from') && !what.includes('/sessions')
      ? { http: 400, status: 2001 }
      : { data: [], headers: { 'X-Total-Count': '0', 'X-Limit': '2' } };
  await ask().ask(pullPartner, { partnerId, full: false });
  await expect.poll(async () => (await of('no-date-filter')).suggested).toBe(true);
  await choose('no-date-filter');
  partner.seen.length = 0;
  await ask().ask(pullPartner, { partnerId, full: false });
  // The pull before it may have been at work when it was chosen.
  await expect.poll(() => partner.pushed('GET /tariffs').at(-1)).toBe('GET /tariffs');
  await expect.poll(() => partner.pushed('GET /cdrs')).toContain('GET /cdrs');
  expect(partner.pushed('GET /sessions').every((what) => what.includes('date_from='))).toBe(true);
});

test('TRN-53: a partner whose pages do not come in time is asked for small ones, once that is chosen', async () => {
  partner.answer = (what) =>
    what.startsWith('GET /locations') && !what.includes('limit=')
      ? 'never'
      : { data: [], headers: { 'X-Total-Count': '0', 'X-Limit': '2' } };
  await pull();
  await expect.poll(async () => (await of('small-pages')).suggested).toBe(true);
  await choose('small-pages');
  await expect.poll(() => partner.pushed('GET /locations?limit=25').length).toBeGreaterThan(0);
});

const evseStatus = (status: 'CHARGING' | 'BLOCKED' | 'RESERVED', at: string) => {
  const evses = location.evses!.map((evse) => (evse.uid === 'L2-01' ? { ...evse, status, last_updated: at } : evse));
  return told(evseStatusChanged, {
    own: true, party: bct, locationId: 'BURNABY', evseUid: 'L2-01', status, lastUpdated: at,
    locationJson: toJsonBytes({ ...location, evses, last_updated: at }),
  });
};

test('TRN-63, TRN-10: a PATCH answered with 405 is followed by a PUT; with its quirk chosen there is no PATCH at all', async () => {
  partner.answer = (what) => (what.startsWith('PATCH') ? { http: 405, status: 2000 } : {});
  const pushes = () => partner.pushed().filter((what) => what.includes('BURNABY')).map((what) => what.split(' ')[0]);
  await oasis.neighbours.tell(evseStatus('CHARGING', '2022-02-01T17:00:00Z'));
  await expect.poll(pushes).toEqual(['PATCH', 'PUT']);
  await expect.poll(async () => (await of('no-patch')).suggested).toBe(true);
  await choose('no-patch');
  await oasis.neighbours.tell(evseStatus('BLOCKED', '2022-02-01T17:05:00Z'));
  await expect.poll(pushes).toEqual(['PATCH', 'PUT', 'PUT']);
});

test('TRN-16: a redirect to the same URL with a slash is not followed, and said; with its quirk chosen every URL has one', async () => {
  partner.answer = (what) => {
    const path = what.split(' ')[1]!;
    return what.startsWith('PUT') && !path.endsWith('/') ? { http: 308, headers: { Location: `${partner.base}${path}/` } } : {};
  };
  await oasis.neighbours.tell(published('SLASH-1'));
  await expect.poll(async () => (await of('trailing-slash')).suggested).toBe(true);
  await choose('trailing-slash');
  await expect.poll(() => partner.pushed()).toContain('PUT /tariffs/CA/BCT/SLASH-1/');
  await ask().ask(chooseQuirks, { partnerId, set: [], unset: ['trailing-slash'] });
});

test('CDR-01: a CDR acknowledged without Location is delivered, and noted', async () => {
  partner.answer = () => ({ headers: {} });
  const cdr: Cdr = { ...exampleCdr, id: 'C-1', session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, ...mtl } };
  await oasis.neighbours.tell(
    told(cdrIssued, {
      cdrId: cdr.id,
      sessionId: 'S-none',
      credit: false,
      tokenParty: { countryCode: 'CA', partyId: 'MTL' },
      cdrJson: toJsonBytes(cdr),
    }),
  );
  await expect.poll(() => times('no-cdr-location')).toBe(1);
  expect(partner.pushed('POST /cdrs')).toHaveLength(1);
});

test('CDR-04: a Credit CDR that negates more than its total goes to the ledger, and is noted', async () => {
  const credit: Cdr = {
    ...exampleCdr, ...mtl, id: 'C-9-C', session_id: 'S-none', credit: true, credit_reference_id: 'C-9',
    total_cost: { excl_vat: -exampleCdr.total_cost.excl_vat }, total_energy: -exampleCdr.total_energy,
  };
  expect((await push('POST', 'cdrs', credit)).status_code).toBe(1000);
  await expect.poll(async () => (await of('sloppy-credits')).detail).toBe('C-9-C negates more than its total_cost');
});

test('SES-01: a Session that goes on after COMPLETED is refused and noted; with its quirk chosen it is acknowledged and left out', async () => {
  const session = {
    ...exampleSession,
    ...mtl,
    id: 'S-1',
    status: 'COMPLETED',
    kwh: 5,
    last_updated: '2022-02-01T18:00:00Z',
  };
  expect((await push('PUT', 'sessions/CA/MTL/S-1', session)).status_code).toBe(1000);
  const late = { kwh: 6, last_updated: '2022-02-01T18:10:00Z' };
  expect(await push('PATCH', 'sessions/CA/MTL/S-1', late)).toMatchObject({ http: 200, status_code: 2001 });
  await expect.poll(async () => (await of('late-sessions')).suggested).toBe(true);
  await choose('late-sessions');
  expect(await push('PATCH', 'sessions/CA/MTL/S-1', late)).toMatchObject({
    http: 200,
    status_code: 1000,
    status_message: expect.stringContaining('left out'),
  });
  expect(oasis.neighbours.partners.get('SESSION CA*MTL S-1')).toMatchObject({ kwh: 5 });
});

test('LOC-10: a Location in a time zone that there is not is kept as it came, and noted, pushed or pulled', async () => {
  const location = { ...exampleLocation, ...mtl, id: 'NOWHERE', time_zone: 'Mars/Phobos' };
  expect(await push('PUT', 'locations/CA/MTL/NOWHERE', location)).toMatchObject({ http: 201, status_code: 1000 });
  const detail = async () => (await of('unknown-time-zone'))?.detail;
  await expect.poll(detail).toBe('the Location NOWHERE: Mars/Phobos');
  expect((await push('GET', 'locations/CA/MTL/NOWHERE', undefined)).data).toMatchObject({ time_zone: 'Mars/Phobos' });
  const patch = { time_zone: 'Mars/Deimos', last_updated: '2030-01-01T00:00:00Z' };
  expect((await push('PATCH', 'locations/CA/MTL/NOWHERE', patch)).status_code).toBe(1000);
  await expect.poll(detail).toBe('the Location NOWHERE: Mars/Deimos');
  partner.answer = listing('locations', [{ ...location, id: 'AWAY', time_zone: 'america/vancouver' }], () => ({ 'X-Total-Count': '1', 'X-Limit': '2' }));
  await pull();
  await expect.poll(detail).toBe('the Location AWAY: america/vancouver');
  expect(await of('unknown-time-zone')).toMatchObject({ suggested: false, chosen: '' });
  await expect.poll(() => partner.pushed('GET /cdrs').length).toBeGreaterThan(0);
});

test('a CDR that comes before its Session is over is taken, and noted', async () => {
  const session = { ...exampleSession, ...mtl, id: 'S-2', status: 'ACTIVE' };
  await push('PUT', 'sessions/CA/MTL/S-2', session);
  expect((await push('POST', 'cdrs', { ...exampleCdr, ...mtl, id: 'C-2', session_id: 'S-2' })).status_code).toBe(1000);
  await expect.poll(async () => (await of('late-sessions')).detail).toBe('the CDR C-2 came while its Session was ACTIVE');
});

test('TYP-04: a number that is not carried exactly is refused and noted; with its quirk chosen it is the nearest that is', async () => {
  const text = JSON.stringify({ ...exampleTariff, ...mtl, id: 'LONG' }).replace(/"price":[\d.]+/, '"price":0.123456789012345678901');
  expect(text).toContain('0.123456789012345678901');
  expect((await push('PUT', 'tariffs/CA/MTL/LONG', text)).status_code).toBe(2001);
  await expect.poll(async () => (await of('long-numbers')).suggested).toBe(true);
  await choose('long-numbers');
  expect((await push('PUT', 'tariffs/CA/MTL/LONG', text)).status_code).toBe(1000);
  expect(JSON.stringify(oasis.neighbours.partners.get('TARIFF CA*MTL LONG'))).toContain('"price":0.12345678901234568');
});

test('TRN-04, CRE-02: who knows our token only unencoded cannot register, is told why, and can with that quirk; a newer link keeps it', async () => {
  const quebec = await HandPartner.open('Quebec', 'QBC', 'EMSP', ['RECEIVER tariffs']);
  quebec.admits = (header) => header === 'Token token-of-QBC';
  const { tokenA, partnerId: id } = await ask().ask(invitePartner, { name: 'Quebec', parties: quebec.parties() });
  const post = () =>
    call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'POST', body: quebec.credentials() });
  expect(await post()).toMatchObject({ status_code: 3001, status_message: expect.stringContaining('unencoded-token') });
  await expect.poll(async () => (await of('unencoded-token', id)).suggested).toBe(true);
  await ask().ask(chooseQuirks, { partnerId: id, set: ['unencoded-token'], unset: [] });
  expect((await post()).status_code).toBe(1000);
  expect((await quebec.register(oasis)).status_code).toBe(1000);
  const newer = (await ask().ask(listPartners, {})).partners.find(
    ({ name, state }) => name === 'Quebec' && state === 'registered',
  )!;
  expect(newer.partnerId).not.toBe(id);
  expect((await of('unencoded-token', newer.partnerId)).chosenAt).toMatch(/^\d{4}-/);
  await quebec.close();
});

test('TRN-04: a partner whose quirk is known beforehand is registered with it', async () => {
  const sherbrooke = await HandPartner.open('Sherbrooke', 'SHB', 'EMSP', ['RECEIVER tariffs']);
  sherbrooke.admits = (header) => header === 'Token A-1' || header === 'Token token-of-SHB';
  sherbrooke.answer = (what) => (what === 'POST /credentials' ? { data: sherbrooke.credentials() } : {});
  const request = { name: 'Sherbrooke', versionsUrl: sherbrooke.url, tokenA: 'A-1' };
  const refused = await ask().ask(registerPartner, request).catch((error: unknown) => String(error));
  expect(refused).toContain('--set unencoded-token');
  const made = await ask().ask(registerPartner, { ...request, quirks: ['unencoded-token'] });
  expect(made).toMatchObject({ state: 'registered' });
  expect((await of('unencoded-token', made.partnerId)).chosenAt).toMatch(/^\d{4}-/);
  await sherbrooke.close();
});
