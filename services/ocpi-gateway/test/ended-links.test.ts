import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endPartner, listPartners } from '#contracts/ocpi-gateway';
import { exampleToken, type Token } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// A link that ends while much is on its way over it.

const SLOW_MS = 800;
const ALL = 40;

let plunk: Side;
const hands: HandPartner[] = [];

beforeAll(async () => {
  plunk = await openSide({ party: plunkParty });
  const cards = Array.from({ length: ALL }, (_, n): Token => ({ ...exampleToken, country_code: 'CA', party_id: 'CPK', uid: `04AA${n}` }));
  plunk.neighbours.own.tokens.push(...cards);
});
afterAll(async () => {
  await Promise.all(hands.map((hand) => hand.close()));
  await plunk?.close();
});

const endings: [string, string, (partner: HandPartner) => Promise<unknown>][] = [
  ['the partner', 'EO1', (partner) => call(plunk, '/ocpi/2.2.1/credentials', { token: partner.token, method: 'DELETE' })],
  ['the operator', 'EO2', async ({ partyId }) => {
    const { bus } = plunk.neighbours;
    const { partners } = await bus.ask(listPartners, {});
    await bus.ask(endPartner, { partnerId: partners.find(({ roles }) => roles.some(({ party }) => party!.partyId === partyId))!.partnerId }, { timeoutMs: 30_000 });
  }],
];
test.each(endings)('CRE-08 CRE-11 once %s ends a link, nothing more goes over it but what was sent already', async (_, partyId, end) => {
  const partner = await HandPartner.open(partyId, partyId, 'CPO', ['RECEIVER tokens', 'SENDER locations']);
  hands.push(partner);
  partner.answer = async (what) => {
    if (what.startsWith('PUT /tokens/')) await sleep(SLOW_MS);
    return {};
  };
  expect(await partner.register(plunk)).toMatchObject({ status_code: 1000 });
  const put = () => partner.pushed('PUT /tokens/').length;
  await expect.poll(put).toBeGreaterThan(0);
  await end(partner);
  const sent = put();
  expect(sent).toBeLessThan(ALL);
  // Longer than any of what was sent is answered, and all behind it would be.
  await sleep(3 * SLOW_MS);
  expect(put()).toBeLessThanOrEqual(Math.max(sent, 8));
});

test('CRE-08 a list that is read for an object that was told to be missing is read no further once the link has ended', async () => {
  const partner = await HandPartner.open('EO3', 'EO3', 'CPO', ['SENDER sessions']);
  hands.push(partner);
  const gate = Promise.withResolvers<void>();
  let pages = 0;
  partner.answer = async (what) => {
    if (!what.startsWith('GET /sessions')) return {};
    const n = ++pages;
    if (n > 1) await gate.promise;
    return { data: [{ id: `S-${n}` }], headers: { 'X-Total-Count': '1000', 'X-Limit': '1', Link: `<${partner.base}/sessions?offset=${n}>; rel="next"` } };
  };
  expect(await partner.register(plunk)).toMatchObject({ status_code: 1000 });
  const patch = { kwh: 1, last_updated: new Date().toISOString() };
  expect((await call(plunk, '/ocpi/2.2.1/receiver/sessions/CA/EO3/S-X', { token: partner.token, method: 'PATCH', body: patch })).http).toBe(404);
  await expect.poll(() => pages).toBe(2);
  expect(await call(plunk, '/ocpi/2.2.1/credentials', { token: partner.token, method: 'DELETE' })).toMatchObject({ status_code: 1000 });
  gate.resolve();
  // The next page is asked for while one is still read.
  await sleep(SLOW_MS);
  expect(pages).toBeLessThanOrEqual(3);
});
