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
