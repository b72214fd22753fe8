import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { invitePartner, listDifferences, listPartners, pullPartner } from '#contracts/ocpi-gateway';
import { commandFinished } from '#contracts/sessions';
import { tariffPublished } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import { type Cdr, exampleCdr, exampleLocation, exampleTariff, exampleToken } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, ocpi, openSide, type Side } from './side.ts';

// A partner that answers what nobody should: it would have us call a neighbour of ours, wait for ever, or read without end.

const mtl = { countryCode: 'CA', partyId: 'MTL' };
const card = { ...exampleToken, party_id: 'MTL', uid: '04AA' };

let oasis: Side;
let mallory: HandPartner;
/** What nobody but us can reach; nobody is to call it. */
let inside: HandPartner;
let partnerId: string;

beforeAll(async () => {
  const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
  oasis = await openSide({ party, ocpi: { ...ocpi, request_timeout_ms: 4_000, pull: { first_s: 86_400, splay_s: 0 } } });
  inside = await HandPartner.open('Inside', 'INS', 'EMSP', []);
  mallory = await HandPartner.open('Mallory', 'MTL', 'EMSP', [
    'RECEIVER tariffs', 'RECEIVER cdrs', 'SENDER locations', 'SENDER tariffs', 'SENDER commands',
  ], ['CPO']);
  await mallory.register(oasis);
  ({ partnerId } = (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]!);
});
afterAll(async () => {
  await Promise.all([mallory, inside].map((one) => one?.close()));
  await oasis?.close();
});
beforeEach(() => {
  mallory.answer = () => ({});
  mallory.seen.length = 0;
});

const post = (path: string, body: object, method = 'POST', headers: Record<string, string> = {}) =>
  call(oasis, `/ocpi/2.2.1/${path}`, { token: mallory.token, method, body, headers });
const lastError = async () =>
  (await oasis.neighbours.bus.ask(listPartners, {})).partners.find((one) => one.partnerId === partnerId)!.lastError;
const start = (path: string) =>
  post('receiver/commands/START_SESSION', { response_url: `${mallory.base}${path}`, location_id: 'L', token: card });
const finishing = (result: string) => async ({ orderId }: { orderId: string }) => {
  await oasis.neighbours.tell(told(commandFinished, { orderId, result, message: '' }));
  return { result: 'ACCEPTED' };
};
const publish = (id: string) => oasis.neighbours.tell(told(tariffPublished, {
  own: true, party: { countryCode: 'CA', partyId: 'BCT' }, tariffId: id, version: 1, lastUpdated: exampleTariff.last_updated,
  tariffJson: toJsonBytes({ ...exampleTariff, country_code: 'CA', party_id: 'BCT', id }),
}));
const redirect = (http: number) => ({ http, headers: { Location: `${inside.base}/secret` } });

/** Locations are pulled; why their list was not read in the end. */
async function pulled(says: string): Promise<void> {
  const report = async () =>
    (await oasis.neighbours.bus.ask(listDifferences, { partnerId, limit: 100 })).pulls.find(
      ({ module }) => module === 'locations',
    );
  await oasis.neighbours.bus.ask(pullPartner, { partnerId, full: true });
  await expect.poll(async () => (await report())?.error).toContain(says);
}

test.each([301, 302, 303, 307, 308])('a redirect by %i is followed nowhere: of a push, a result, a list, or the versions', async (http) => {
  mallory.answer = (what) => (what.startsWith('PUT /tariffs/CA/BCT/T') && what.endsWith(String(http)) ? redirect(http) : {});
  await publish(`T-${http}`);
  await expect.poll(lastError).toContain(`HTTP ${http}`);

  mallory.answer = () => redirect(http);
  oasis.neighbours.answers.startSession = finishing('ACCEPTED');
  await start(`/result/${http}`);
  await expect.poll(() => mallory.pushed(`POST /result/${http}`).length).toBeGreaterThan(0);

  await pulled(`HTTP ${http}, no OCPI status: redirects are not followed`);
  const renewed = await post('credentials', { ...mallory.credentials(), url: `${mallory.base}/elsewhere` }, 'PUT');
  expect(renewed).toMatchObject({ http: 200, status_code: 3001, status_message: expect.stringContaining('redirects are not followed') });
  expect(inside.seen).toEqual([]);
});

test('TRN-52: a Link leads to no other host or port', async () => {
  for (const url of [
    `${inside.base}/locations?offset=1`,
    `//${new URL(inside.base).host}/locations`,
    'http://169.254.169.254/latest',
    'file:///etc/passwd',
    `http://x@${new URL(mallory.base).host}:1/`,
  ]) {
    mallory.answer = (what) =>
      what.startsWith('GET /locations') ? { data: [], headers: { Link: `<${url}>; rel="next"` } } : { data: [] };
    await pulled(`the next page is elsewhere: ${url}`);
  }
  expect(inside.seen).toEqual([]);
});

test('TRN-52: a list without an end has one', async () => {
  let page = 0;
  let most = 0;
  mallory.answer = (what) => {
    if (!what.startsWith('GET /locations')) return { data: [] };
    // It is begun anew some times.
    if (!what.includes('offset')) page = 0;
    page += 1;
    most = Math.max(most, page);
    return { data: [], headers: { Link: `<${mallory.base}/locations?offset=${page}>; rel="next"` } };
  };
  await pulled('has no end');
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(150);
});

test('TRN-55: what is no object at all, or holds what is no text, spoils nothing of its page', async () => {
  const location = { ...exampleLocation, party_id: 'MTL' };
  const data: unknown[] = [
    null,
    7,
    'x',
    [],
    {},
    { id: { toString: null, valueOf: null } },
    { uid: { toString: 1 } },
    { ...location, id: { toString: 'L' } },
    { ...location, id: 'NUL', more: 'a\0b' },
    { ...location, id: 'HALF', more: '\ud83d' },
    { ...location, id: '..' },
    { ...location, id: 'WHOLE', more: '😀' },
  ];
  mallory.answer = (what) => ({ data: what.startsWith('GET /locations') ? data : [] });
  await oasis.neighbours.bus.ask(pullPartner, { partnerId, full: true });
  await expect.poll(() => [...oasis.neighbours.partners.keys()]).toContain('LOCATION CA*MTL WHOLE');
  const found = async () =>
    (await oasis.neighbours.bus.ask(listDifferences, { partnerId, limit: 100 })).differences
      .map(({ objectId, what }) => `${what} ${objectId}`)
      .sort();
  await expect.poll(found).toEqual(expect.arrayContaining(['invalid ..', 'invalid half', 'invalid nul', 'invalid ?']));
  expect([...oasis.neighbours.partners.keys()].filter((key) => key.startsWith('LOCATION'))).toEqual(['LOCATION CA*MTL WHOLE']);
});

test("CDR-01: the Location of a CDR is not called where it is not its partner's", async () => {
  const cdr: Cdr = { ...exampleCdr, party_id: 'BCT', cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } };
  const issue = (id: string) => oasis.neighbours.tell(told(cdrIssued, {
    cdrId: id, sessionId: 'S-1', credit: false, tokenParty: mtl, cdrJson: toJsonBytes({ ...cdr, id }),
  }));
  mallory.answer = (what) =>
    what.startsWith('POST /cdrs')
      ? { http: 201, headers: { Location: `${inside.base}/cdrs/C-1` } }
      : { http: 404, status: 2003 };
  await issue('C-1');
  await expect.poll(() => mallory.pushed('POST /cdrs')).toHaveLength(1);
  // The second is taken without an answer: it is looked for before it goes again.
  let hangUps = 1;
  mallory.answer = (what) =>
    what.startsWith('POST /cdrs') && hangUps-- > 0
      ? 'hang up'
      : what.startsWith('GET ')
        ? { http: 404, status: 2003 }
        : { http: 201, headers: { Location: `${inside.base}/cdrs/C-2` } };
  await issue('C-2');
  await expect.poll(() => mallory.pushed('POST /cdrs')).toHaveLength(3);
  expect(mallory.pushed('GET ').length).toBeGreaterThan(0);
  expect(inside.seen).toEqual([]);
});

test('CRE-01: versions that come drop by drop, without an end, too long or too deep are 3001 in time; nothing is kept', async () => {
  let sent = 0;
  const odd = createServer((request, response) => {
    const timer = setInterval(
      () => response.write(request.url === '/drops' ? ' ' : 'x'.repeat(100_000)),
      request.url === '/drops' ? 100 : 1,
    );
    response.on('close', () => clearInterval(timer));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    if (request.url === '/deep') response.end('['.repeat(200_000));
    if (request.url === '/many')
      response.end(`{"status_code":1000,"timestamp":"2022-02-01T17:00:00Z","data":[${'{},'.repeat(100_000)}{}]}`);
    sent += 1;
  });
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Odd' });
  for (const [path, says] of [
    ['/drops', 'no answer within'],
    ['/flood', 'longer than'],
    ['/deep', 'nested deeper'],
    ['/many', 'we speak'],
  ] as const) {
    const body = {
      token: 'odd',
      url: `${base}${path}`,
      roles: [{ role: 'EMSP', country_code: 'CA', party_id: 'ODD', business_details: { name: 'Odd' } }],
    };
    const answer = await call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body });
    expect(answer, path).toMatchObject({
      http: 200,
      status_code: path === '/many' ? 3002 : 3001,
      status_message: expect.stringContaining(says),
    });
  }
  odd.closeAllConnections();
  await new Promise((resolve) => odd.close(resolve));
  expect(sent).toBeGreaterThan(3);
  expect((await call(oasis, '/ocpi/versions', { token })).http, 'TOKEN_A stays good').toBe(200);
});

test('CRE-02: an endpoint that may not be called is refused by name at the handshake', async () => {
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Odd' });
  const odd = await HandPartner.open('Odd', 'ODD', 'EMSP', ['RECEIVER locations']);
  odd.endpointBase = `http://user:secret@${new URL(inside.base).host}`;
  const answer = await call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body: odd.credentials() });
  await odd.close();
  expect(answer).toMatchObject({
    http: 200,
    status_code: 3001,
    status_message: expect.stringMatching(/locations RECEIVER .*holds a user name/),
  });
  expect(inside.seen).toEqual([]);
});

test("what a partner says is shown to an operator without anything that moves a terminal's cursor, and not at any length", async () => {
  mallory.answer = (what) =>
    what.startsWith('PUT /tariffs/CA/BCT/ESC')
      ? { status: 2001, message: `\u001b[2J\u0007\r\nfine\u202e${'!'.repeat(100_000)}` }
      : {};
  await publish('ESC');
  await expect.poll(lastError).toContain('fine');
  const said = await lastError();
  expect(said).not.toMatch(/\p{C}/u);
  expect(said.length).toBeLessThan(1_000);
});

test.each([408, 429])(
  'CMD-04: a result that is answered with HTTP %i is said again, the same; one that is refused is not',
  async (http) => {
    let no = 1;
    mallory.answer = (what) =>
      what.startsWith(`POST /later/${http}`) && no-- > 0 ? { http, status: 2000, headers: { 'Retry-After': '1' } } : {};
    oasis.neighbours.answers.startSession = finishing('EVSE_OCCUPIED');
    await start(`/later/${http}`);
    await expect.poll(() => mallory.pushed(`POST /later/${http}`)).toHaveLength(2);
    const bodies = mallory.seen.filter(({ what }) => what === `POST /later/${http}`).map(({ body }) => body);
    expect(bodies).toEqual([{ result: 'EVSE_OCCUPIED' }, { result: 'EVSE_OCCUPIED' }]);
    mallory.answer = () => ({ http: 404, status: 2001 });
    await start(`/never/${http}`);
    await expect.poll(() => mallory.pushed(`POST /never/${http}`)).toHaveLength(1);
    await start(`/mark/${http}`);
    await expect.poll(() => mallory.pushed(`POST /mark/${http}`)).toHaveLength(1);
    expect(mallory.pushed(`POST /never/${http}`)).toHaveLength(1);
  },
);
