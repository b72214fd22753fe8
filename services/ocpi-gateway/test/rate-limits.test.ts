import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleCdr, exampleToken, nextLink, routingHeaders } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, ocpi, openSide, type Side } from './side.ts';

// A gateway that takes five requests of each partner and ten of strangers, and then next to none.

const rate = (burst: number) => ({ per_second: 0.01, burst });
const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
const card = { ...exampleToken, party_id: 'BCT', uid: '04AA' };

let oasis: Side;
let montreal: HandPartner;
let islands: HandPartner;

beforeAll(async () => {
  oasis = await openSide({ party, ocpi: { ...ocpi, rate_limit: rate(5), unknown_rate_limit: rate(10), proxies: 1 } });
  oasis.neighbours.own.tokens.push(card);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['SENDER locations', 'SENDER commands'], ['CPO']);
  islands = await HandPartner.open('Islands', 'ISL', 'CPO', ['SENDER locations']);
  await montreal.register(oasis);
  await islands.register(oasis);
});
afterAll(async () => {
  await Promise.all([montreal, islands].map((one) => one?.close()));
  await oasis?.close();
});

const get = (partner: HandPartner, path: string, more: object = {}) =>
  call(oasis, `/ocpi/2.2.1/${path}`, { token: partner.token, ...more });
const times = async <T>(n: number, ask: () => Promise<T>) => {
  const answers: T[] = [];
  for (let i = 0; i < n; i += 1) answers.push(await ask());
  return answers;
};
const https = (answers: readonly { http: number }[]) => answers.map(({ http }) => http);
const from = (address: string) => ({ 'X-Forwarded-For': address });

test('a partner that asks more than is taken gets 429 in the envelope, with Retry-After, and costs others nothing', async () => {
  const headers = { 'X-Request-ID': 'r-1' };
  const answers = await times(7, () => get(montreal, 'sender/locations', { headers }));
  // The first of the five was the POST of its credentials.
  expect(https(answers)).toEqual([200, 200, 200, 200, 429, 429, 429]);
  const refused = answers.at(-1)!;
  expect(refused).toMatchObject({
    status_code: 2000,
    status_message: expect.stringContaining('come again in'),
    timestamp: expect.stringMatching(/Z$/),
  });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.headers.get('x-request-id')).toBe('r-1');
  expect(https(await times(2, () => get(islands, 'sender/locations')))).toEqual([200, 200]);
});

test('authorize, commands, their results and CDRs are never held up', async () => {
  expect(https(await times(2, () => get(montreal, 'sender/locations')))).toEqual([429, 429]);
  const authorize = await times(8, () => get(montreal, 'sender/tokens/04AA/authorize', { method: 'POST' }));
  expect(https(authorize)).toEqual(Array(8).fill(200));
  const unlock = { response_url: `${montreal.base}/r`, location_id: 'L', evse_uid: 'E', connector_id: '1' };
  const commands = await times(8, () => get(montreal, 'receiver/commands/UNLOCK_CONNECTOR', { method: 'POST', body: unlock }));
  expect(https(commands)).toEqual(Array(8).fill(200));
  const results = await times(8, () =>
    get(montreal, 'sender/commands/START_SESSION/none', { method: 'POST', body: { result: 'ACCEPTED' } }),
  );
  expect(https(results), 'of an order that nobody gave').toEqual(Array(8).fill(404));
  const cdr = { ...exampleCdr, party_id: 'MTL' };
  const cdrs = await times(8, () => get(montreal, 'receiver/cdrs', { method: 'POST', body: cdr }));
  expect(https(cdrs)).toEqual([201, ...Array<number>(7).fill(200)]);
});

test('TRN-05 strangers are 401, then 429 by their address; who is known is let in from there all the same', async () => {
  const stranger = (token: string, address = '192.0.2.9') => call(oasis, '/ocpi/2.2.1/sender/tariffs', { token, headers: from(address) });
  let n = 0;
  const answers = await times(12, () => stranger(`guess-${n++}`));
  expect(https(answers)).toEqual([...Array<number>(10).fill(401), 429, 429]);
  expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await stranger('guess', '192.0.2.10')).http, 'another address').toBe(401);
  expect((await stranger('guess', '198.51.100.1, 192.0.2.9')).http, 'only the word of our own proxy is taken').toBe(429);
  expect(await get(islands, 'sender/locations', { headers: from('192.0.2.9') })).toMatchObject({ http: 200 });
  const authorize = await call(oasis, '/ocpi/2.2.1/sender/tokens/04AA/authorize', {
    token: 'guess',
    method: 'POST',
    headers: from('192.0.2.9'),
  });
  expect(authorize.http, 'what is urgent is looked up').toBe(401);
});

test('a page that a hub passes on counts as any list does; the result of a command that crosses it is never held up', async () => {
  const hub = await openSide({
    party: { country_code: 'CA', party_id: 'HUB', name: 'Open Hub', roles: ['HUB'] }, hub: { quiet_s: 3600 }, ocpi: { ...ocpi, rate_limit: rate(5) },
  });
  const cpo = await HandPartner.open('Oasis', 'EOA', 'CPO', ['SENDER locations', 'RECEIVER commands']);
  const emsp = await HandPartner.open('Island', 'ISL', 'EMSP', ['RECEIVER locations', 'SENDER commands']);
  for (const partner of [cpo, emsp]) await partner.register(hub);
  const at = (partner: HandPartner, to: string, url: string, more: object = {}) => call(hub, url, {
    token: partner.token, ...more,
    headers: routingHeaders({ to: { country_code: 'CA', party_id: to }, from: { country_code: 'CA', party_id: partner.partyId } }),
  });
  cpo.answer = (what) => (what.startsWith('GET') ? { data: [], headers: { Link: `<${cpo.base}/locations?offset=1>; rel="next"` } } : {});
  const first = await at(emsp, 'EOA', '/ocpi/2.2.1/sender/locations');
  const next = nextLink(first.headers.get('link') ?? undefined)!;
  expect(https(await times(5, () => at(emsp, 'EOA', next)))).toEqual([200, 200, 200, 429, 429]);
  const body = { response_url: `${emsp.base}/result`, session_id: 'S' };
  expect(await at(emsp, 'EOA', '/ocpi/2.2.1/receiver/commands/STOP_SESSION', { method: 'POST', body })).toMatchObject({ http: 200, status_code: 1000 });
  const { response_url: result } = cpo.seen.at(-1)!.body as { response_url: string };
  expect(https(await times(8, () => at(cpo, 'ISL', result, { method: 'POST', body: { result: 'ACCEPTED' } })))).toEqual(Array(8).fill(200));
  await Promise.all([cpo.close(), emsp.close()]);
  await hub.close();
});
