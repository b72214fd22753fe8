import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { requestProfile, partnerSessionChanged } from '#contracts/sessions';
import { getPartnerProfile, sendProfileRequest } from '#contracts/ocpi-gateway';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { erasedCdrToken, type Session } from '#ocpi';
import { agree, answered, at, consent, contract, count, profile, provider, pushedTo, session } from './consents.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// An eMSP between smart charging service providers and a CPO.

let plunk: Side;
let smart: HandPartner;
let aggregator: HandPartner;
let montreal: HandPartner;

beforeAll(async () => {
  plunk = await openSide({ party: plunkParty });
  await plunk.neighbours.bus.answer(requestProfile, async (requests) => requests.map(() => ({ result: 'UNKNOWN_SESSION', timeoutS: 0, message: '' })));
  smart = await HandPartner.open('Smart', 'SMC', 'SCSP', provider);
  aggregator = await HandPartner.open('Aggregator', 'AGG', 'SCSP', provider);
  montreal = await HandPartner.open('Montreal', 'MTL', 'CPO', ['RECEIVER chargingprofiles', 'RECEIVER tokens', 'SENDER sessions']);
  for (const partner of [smart, aggregator, montreal]) expect(await partner.register(plunk)).toMatchObject({ status_code: 1000 });
});
afterEach(() => {
  for (const partner of [smart, aggregator, montreal]) {
    partner.seen.length = 0;
    partner.answer = () => ({});
  }
});
afterAll(async () => {
  await Promise.all([smart, aggregator, montreal].map((partner) => partner?.close()));
  await plunk?.close();
});

/** Montreal tells of a Session, until those who may see it have it; its ids as they know it. What was agreed just now holds a moment later. */
async function runs(id: string, at: readonly HandPartner[] = [smart]): Promise<string[]> {
  const before = at.map((partner) => pushedTo(partner).length);
  await expect.poll(async () => {
    await tell(session(id));
    return at.every((partner, n) => pushedTo(partner).length > before[n]!);
  }, { interval: 200 }).toBe(true);
  return at.map((partner) => (pushedTo(partner).at(-1)!.body as Session).id);
}

async function tell(its: Session): Promise<void> {
  const { neighbours } = plunk;
  neighbours.partners.set(`session CA*MTL ${its.id}`.toUpperCase(), its);
  await neighbours.tell(told(partnerSessionChanged, {
    party: { countryCode: 'CA', partyId: 'MTL' }, sessionId: its.id, sessionJson: toJsonBytes(its),
  }));
}

const put = (partner: HandPartner, id: string, n = 'n', more: object = {}) => call(plunk, at(id), {
  token: partner.token, method: 'PUT', body: { charging_profile: profile(10, more), response_url: `${partner.base}/results/${n}` },
});
const follows = (id: string) => count(`profile_followers WHERE session_id = '${id}' AND (obeyed OR steered_by IS NOT NULL)`, plunk);
const askedOf = (partner: HandPartner, method: string) => partner.seen.filter(({ what }) => what.startsWith(`${method} /chargingprofiles/`));
/** Where Montreal is to say how the newest PUT ended. */
const responseUrl = () => (askedOf(montreal, 'PUT').at(-1)!.body as { response_url: string }).response_url;
const saysMontreal = (result: string) => call(plunk, responseUrl(), { token: montreal.token, method: 'POST', body: { result } });
const takes = (result = 'ACCEPTED', timeout = 30) => () => ({ data: { result, timeout } });

test('VER-07 CHP-05: what an eMSP has for providers is listed to them, and not to a CPO', async () => {
  const listed = async ({ token }: HandPartner) => {
    const { data } = await call(plunk, '/ocpi/2.2.1', { token }).then(async (one) =>
      (one.http === 200 ? one : call(plunk, '/ocpi/versions/2.2.1', { token })));
    return (data as { endpoints: { identifier: string; role: string }[] }).endpoints.map(({ identifier, role }) => `${role} ${identifier}`);
  };
  expect(await listed(smart)).toEqual(expect.arrayContaining(['SENDER sessions', 'RECEIVER chargingprofiles']));
  for (const own of ['SENDER sessions', 'RECEIVER chargingprofiles']) expect(await listed(montreal)).not.toContain(own);
});

test('CHP-05: a Session goes to the provider that has the consent, from the eMSP, by an id of its own, and without its driver', async () => {
  await agree(plunk, 1, 'SMC', consent);
  await agree(plunk, 1, 'AGG', { ...consent, contract_ids: ['CA-CPK-OTHER'] });
  await runs('M-1');
  const [{ what, body, headers }] = pushedTo(smart) as [(typeof smart.seen)[0]];
  const { id } = body as Session;
  expect(what).toBe(`PUT /sessions/CA/MTL/${id}`);
  expect(headers).toMatchObject({ 'ocpi-to-party-id': 'SMC', 'ocpi-from-party-id': 'CPK' });
  for (const secret of [contract, '04A2B3C4D5E680', 'M-1', 'REF', 'total_cost']) expect(JSON.stringify(body)).not.toContain(secret);
  expect(pushedTo(aggregator)).toEqual([]);
});

test.each([
  ['ACCEPTED, with its time', takes('ACCEPTED', 45), { result: 'ACCEPTED', timeout: 45 }],
  ['TOO_OFTEN', takes('TOO_OFTEN'), { result: 'TOO_OFTEN' }],
  ['UNKNOWN_SESSION', takes('UNKNOWN_SESSION'), { result: 'UNKNOWN_SESSION' }],
  ['NOT_SUPPORTED', takes('NOT_SUPPORTED'), { result: 'NOT_SUPPORTED' }],
  ['HTTP 404 without a word', () => ({ http: 404, status: 2003 }), { result: 'REJECTED' }],
  ['HTTP 429', () => ({ http: 429 }), { result: 'REJECTED' }],
  ['nothing that is clear: it may have been taken', () => 'hang up' as const, { result: 'ACCEPTED' }],
])('CHP-05: what the CPO answers is what the provider is answered: %s', async (what, answer, expected) => {
  const [id] = await runs(`M-A-${what.slice(0, 8)}`) as [string];
  montreal.answer = answer;
  expect(await put(smart, id)).toMatchObject({ http: 200, status_code: 1000, data: expected });
});

test('CHP-01 CHP-02 CHP-05: the CPO is asked in the name of the eMSP; its result goes on once, and the active profile from then on', async () => {
  const [id] = await runs('M-2') as [string];
  montreal.answer = takes();
  expect(await answered(put(smart, id, 'two'))).toBe('ACCEPTED');
  const [{ what, body, headers }] = askedOf(montreal, 'PUT') as [(typeof montreal.seen)[0]];
  expect(what).toBe('PUT /chargingprofiles/M-2');
  expect(headers).toMatchObject({ 'ocpi-to-party-id': 'MTL', 'ocpi-from-party-id': 'CPK' });
  expect(JSON.stringify(body)).not.toContain(smart.base);
  const active = { start_date_time: '2022-02-01T17:00:00Z', charging_profile: profile(9.5) };
  const tellsActive = () => call(plunk, '/ocpi/2.2.1/sender/chargingprofiles/M-2', { token: montreal.token, method: 'PUT', body: active });
  await tellsActive();
  expect(await call(plunk, responseUrl(), { token: smart.token, method: 'POST', body: { result: 'ACCEPTED' } })).toMatchObject({ http: 404 });
  for (const _ of ['first', 'again']) expect(await saysMontreal('ACCEPTED')).toMatchObject({ status_code: 1000 });
  await expect.poll(() => smart.seen.filter(({ what: one }) => one === 'POST /results/two').map((one) => one.body)).toEqual([{ result: 'ACCEPTED' }]);
  expect(askedOf(smart, 'PUT'), 'not before its profile was obeyed').toEqual([]);
  await tellsActive();
  await expect.poll(() => askedOf(smart, 'PUT').map((one) => [one.what, one.body])).toEqual([[`PUT /chargingprofiles/${id}`, active]]);
});

test('CHP-03 CHP-05: one provider asks nothing for what another knows, nor by an id that is made up; the CPO hears of neither', async () => {
  const [id] = await runs('M-3') as [string];
  expect(await answered(put(aggregator, id))).toBe('REJECTED');
  expect(await answered(put(smart, 'M-3'))).toBe('UNKNOWN_SESSION');
  expect(await answered(put(smart, `${id}0`))).toBe('UNKNOWN_SESSION');
  expect(askedOf(montreal, 'PUT')).toEqual([]);
});

test('CHP-05: of two with a consent the first keeps the charge, until its profile is not obeyed, is over, or is cleared', async () => {
  await agree(plunk, 1, 'AGG', consent);
  const [mine, theirs] = await runs('M-4', [smart, aggregator]) as [string, string];
  expect(mine).not.toBe(theirs);
  montreal.answer = takes();
  expect(await answered(put(smart, mine, 'one'))).toBe('ACCEPTED');
  expect(await answered(put(aggregator, theirs))).toBe('REJECTED');
  await saysMontreal('REJECTED');
  expect(await answered(put(aggregator, theirs, 'two', { start_date_time: '2022-02-01T17:00:00Z', duration: 60 }))).toBe('ACCEPTED');
  expect(await answered(put(smart, mine, 'three'))).toBe('ACCEPTED');
  expect(await answered(put(aggregator, theirs))).toBe('REJECTED');
  const clears = (partner: HandPartner, id: string) =>
    answered(call(plunk, `${at(id)}?response_url=${encodeURIComponent(`${partner.base}/results/x`)}`, { token: partner.token, method: 'DELETE' }));
  expect(await clears(aggregator, theirs)).toBe('REJECTED');
  expect(await clears(smart, mine)).toBe('ACCEPTED');
  expect(await answered(put(aggregator, theirs))).toBe('ACCEPTED');
});

test('CHP-05: of two that ask at the same instant one has the charge', async () => {
  montreal.answer = takes();
  for (const n of [0, 1, 2, 3, 4]) {
    const [mine, theirs] = await runs(`M-T-${n}`, [smart, aggregator]) as [string, string];
    const said = await Promise.all([answered(put(smart, mine)), answered(put(aggregator, theirs))]);
    expect(said.toSorted()).toEqual(['ACCEPTED', 'REJECTED']);
  }
});

test('CHP-03: a consent that is withdrawn ends what was set, however often the CPO wants to be asked; so does the end of the link', async () => {
  const [first, second] = [(await runs('M-5'))[0]!, (await runs('M-6'))[0]!];
  montreal.answer = takes();
  for (const id of [first, second]) expect(await answered(put(smart, id))).toBe('ACCEPTED');
  const asked = new Set<string>();
  montreal.answer = (what) => {
    const [url = ''] = what.split('?');
    const result = asked.has(url) ? 'ACCEPTED' : 'TOO_OFTEN';
    asked.add(url);
    return { data: { result, timeout: 30 } };
  };
  await agree(plunk, 1, 'SMC', { ...consent, contract_ids: ['CA-CPK-OTHER'] });
  const cleared = () => askedOf(montreal, 'DELETE').map(({ what }) => what.split('?')[0]!).filter((what) => /M-[56]$/.test(what));
  await expect.poll(() => cleared().toSorted()).toEqual(['M-5', 'M-5', 'M-6', 'M-6'].map((id) => `DELETE /chargingprofiles/${id}`));
  expect(await answered(put(smart, first))).toBe('REJECTED');
  const before = pushedTo(smart).length;
  await tell(session('M-5', { kwh: 99 }));
  const [theirs] = await runs('M-7', [aggregator]) as [string];
  expect(pushedTo(smart)).toHaveLength(before);
  montreal.answer = takes();
  expect(await answered(put(aggregator, theirs))).toBe('ACCEPTED');
  montreal.seen.length = 0;
  await call(plunk, '/ocpi/2.2.1/credentials', { token: aggregator.token, method: 'DELETE' });
  await expect.poll(() => askedOf(montreal, 'DELETE').some(({ what }) => what.startsWith('DELETE /chargingprofiles/M-7?'))).toBe(true);
});

test('CHP-03: of a consent that is withdrawn before the CPO says how it ended the provider hears no active profile', async () => {
  await agree(plunk, 1, 'SMC', consent);
  const [id] = await runs('M-8') as [string];
  montreal.answer = takes();
  expect(await answered(put(smart, id, 'late'))).toBe('ACCEPTED');
  await agree(plunk, 1, 'SMC');
  await expect.poll(() => askedOf(montreal, 'DELETE').some(({ what }) => what.startsWith('DELETE /chargingprofiles/M-8?'))).toBe(true);
  await expect.poll(() => follows(id)).toBe(0);
  await saysMontreal('ACCEPTED');
  const active = { start_date_time: '2022-02-01T17:00:00Z', charging_profile: profile(9.5) };
  await call(plunk, '/ocpi/2.2.1/sender/chargingprofiles/M-8', { token: montreal.token, method: 'PUT', body: active });
  await expect.poll(() => smart.seen.filter(({ what }) => what === 'POST /results/late').map(({ body }) => body)).toEqual([{ result: 'REJECTED' }]);
  expect(await follows(id)).toBe(0);
  expect(askedOf(smart, 'PUT')).toEqual([]);
});

test('CHP-01 CHP-03: a result that comes after the consent was withdrawn is REJECTED, while the CPO is still asked to clear the profile too', async () => {
  await agree(plunk, 1, 'SMC', consent);
  const [id] = await runs('M-12') as [string];
  montreal.answer = (what) => ({ data: { result: what.startsWith('DELETE') ? 'TOO_OFTEN' : 'ACCEPTED', timeout: 30 } });
  expect(await answered(put(smart, id, 'over'))).toBe('ACCEPTED');
  await agree(plunk, 1, 'SMC');
  await expect.poll(() => askedOf(montreal, 'DELETE').length).toBeGreaterThan(0);
  await saysMontreal('ACCEPTED');
  const active = { start_date_time: '2022-02-01T17:00:00Z', charging_profile: profile(9.5) };
  await call(plunk, '/ocpi/2.2.1/sender/chargingprofiles/M-12', { token: montreal.token, method: 'PUT', body: active });
  await expect.poll(() => smart.seen.filter(({ what }) => what === 'POST /results/over').map(({ body }) => body)).toEqual([{ result: 'REJECTED' }]);
  montreal.answer = takes();
  const waits = () => count(`profile_followers WHERE session_id = '${id}' AND steered_by IS NOT NULL`, plunk);
  await expect.poll(waits).toBe(0);
  expect(askedOf(smart, 'PUT')).toEqual([]);
});

test('CHP-05: a driver is told who limits the charge, and how; and who ended that', async () => {
  await agree(plunk, 1, 'SMC', consent);
  const [id] = await runs('M-13') as [string];
  montreal.answer = takes();
  expect(await answered(put(smart, id))).toBe('ACCEPTED');
  const { bus } = plunk.neighbours;
  const party = { countryCode: 'CA', partyId: 'MTL' };
  await bus.ask(sendProfileRequest, { orderId: 'MINE', party, sessionId: 'M-13', method: 'GET', durationS: 900 });
  const asked = async () => (await bus.ask(getPartnerProfile, { party, sessionId: 'M-13' })).requests
    .map(({ method, provider: by, providerName, profileJson }) => [method, by?.partyId, providerName, profileJson && fromJsonBytes(profileJson)])
    .toSorted();
  expect(await asked()).toEqual([['GET', undefined, '', undefined], ['PUT', 'SMC', 'Smart', profile(10)]]);
  await agree(plunk, 1, 'SMC');
  await expect.poll(async () => (await asked()).at(-1)).toEqual(['WITHDRAW', 'SMC', 'Smart', undefined]);
});

test('CHP-03: a driver who is forgotten is limited by nobody\'s consent any more', async () => {
  await agree(plunk, 1, 'SMC', { ...consent, contract_ids: [] });
  const [id] = await runs('M-14') as [string];
  montreal.answer = takes();
  expect(await answered(put(smart, id))).toBe('ACCEPTED');
  const nobody = session('M-14', { cdr_token: erasedCdrToken({ country_code: 'CA', party_id: 'CPK' }) });
  const before = pushedTo(smart).length;
  await tell(nobody);
  await expect.poll(() => askedOf(montreal, 'DELETE').map(({ what }) => what.split('?')[0])).toEqual(['DELETE /chargingprofiles/M-14']);
  expect(pushedTo(smart)).toHaveLength(before);
});

test('CHP-05: what a CPO adds to its Sessions is nothing to a provider', async () => {
  await agree(plunk, 1, 'SMC', consent);
  await runs('M-9');
  const its = session('M-9', { kwh: 9.5, driver: 'Zoe', charging_periods: [{
    start_date_time: '2022-02-01T17:00:00Z', dimensions: [{ type: 'ENERGY', volume: 9.5 }], tariff_id: 'NIGHT', driver: 'Zoe',
  }] });
  await tell(its);
  const told = () => smart.seen.map(({ body }) => JSON.stringify(body));
  await expect.poll(() => told().some((body) => body.includes('"kwh":9.5'))).toBe(true);
  for (const more of ['Zoe', 'NIGHT']) expect(told().join()).not.toContain(more);
});

test('CHP-03: what a provider refused is not sent again once its consent is over', async () => {
  await agree(plunk, 1, 'SMC', consent);
  await runs('M-10');
  smart.answer = () => ({ status: 2001 });
  await tell(session('M-10', { kwh: 77 }));
  const letters = () => count(`pushed WHERE parked IS NOT NULL AND current LIKE '%"kwh":77%'`, plunk);
  await expect.poll(letters).toBe(1);
  await agree(plunk, 1, 'SMC');
  await expect.poll(letters).toBe(0);
});

test('CHP-03: whose party is no longer on a platform ends what it set, although the link stands', async () => {
  const roles = ['SCSP TWN'];
  const twins = await HandPartner.open('Twins', 'TWI', 'SCSP', provider, roles);
  try {
    await twins.register(plunk);
    await agree(plunk, 1, 'TWN', consent);
    const [id] = await runs('M-11', [twins]) as [string];
    montreal.answer = takes();
    expect(await answered(put(twins, id))).toBe('ACCEPTED');
    roles.pop();
    const renewed = await call(plunk, '/ocpi/2.2.1/credentials', { token: twins.token, method: 'PUT', body: twins.credentials() });
    expect(renewed).toMatchObject({ status_code: 1000 });
    await expect.poll(() => askedOf(montreal, 'DELETE').map(({ what }) => what.split('?')[0])).toContain('DELETE /chargingprofiles/M-11');
  } finally {
    await twins.close();
  }
});

test('CHP-03 HUB-04: Tokens are not for a provider behind a hub either, and are for a CPO there', async () => {
  const hub = await HandPartner.open('Hub of Tokens', 'HUT', 'HUB', ['RECEIVER tokens']);
  try {
    expect(await hub.register(plunk)).toMatchObject({ status_code: 1000 });
    for (const [party_id, role] of [['HPR', 'SCSP'], ['HCP', 'CPO']]) {
      await call(plunk, `/ocpi/2.2.1/receiver/hubclientinfo/CA/${party_id}`, {
        token: hub.token, method: 'PUT',
        body: { country_code: 'CA', party_id, role, status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' },
      });
    }
    const asks = async (path: string, party: string, more = {}) => (await call(plunk, `/ocpi/2.2.1/sender/tokens${path}`, { token: hub.token, headers: {
      'OCPI-from-country-code': 'CA', 'OCPI-from-party-id': party, 'OCPI-to-country-code': 'CA', 'OCPI-to-party-id': 'CPK',
    }, ...more })).http;
    expect([await asks('', 'HPR'), await asks('', 'HCP'), await asks('/X/authorize', 'HPR', { method: 'POST' })]).toEqual([404, 200, 404]);
  } finally {
    await call(plunk, '/ocpi/2.2.1/credentials', { token: hub.token, method: 'DELETE' });
    await hub.close();
  }
});
