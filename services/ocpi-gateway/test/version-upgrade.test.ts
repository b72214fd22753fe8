import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { toJsonBytes } from '#contracts';
import { type Cdr, creditCdr, exampleCdr, exampleToken, type Token } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, heard, openSide, plunkParty, type Side } from './side.ts';

// Partners that spoke 2.1.1 come to speak 2.2.1 while Tokens and CDRs are on their way to them.

let plunk: Side;
const hands: HandPartner[] = [];
const card: Token = { ...exampleToken, country_code: 'CA', party_id: 'CPK', uid: '04AA', group_id: 'FLEET-7', default_profile_type: 'GREEN' };

beforeAll(async () => {
  plunk = await openSide({ party: plunkParty });
  plunk.neighbours.own.tokens.push(card);
});
afterAll(async () => {
  await Promise.all(hands.map((hand) => hand.close()));
  await plunk?.close();
});

/** A partner of 2.1.1 that answers no request which begins so before it may. */
async function slow(partyId: string, role: string, interfaces: string[], start: string) {
  const partner = await HandPartner.open(partyId, partyId, role, interfaces);
  hands.push(partner);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => { release = resolve; });
  partner.answer = async (what) => {
    if (what.startsWith(start)) await held;
    return {};
  };
  partner.version = '2.1.1';
  const bodies = () => partner.seen.filter(({ what }) => what.startsWith(start)).map(({ body }) => body as { id?: string });
  return { partner, bodies, release };
}

async function upgrade(partner: HandPartner, side: Side): Promise<void> {
  partner.version = '2.2.1';
  const renewed = await call(side, '/ocpi/2.2.1/credentials', { token: partner.token, method: 'PUT', body: partner.credentials() });
  expect(renewed).toMatchObject({ http: 200, status_code: 1000 });
}

test('CRE-06 what is on its way in the older version while a link moves to a newer one is said again in that', async () => {
  const { partner, bodies, release } = await slow('BCT', 'CPO', ['RECEIVER tokens', 'SENDER locations'], 'PUT /tokens/CA/CPK/04AA');
  expect(await partner.register(plunk)).toMatchObject({ status_code: 1000 });
  await expect.poll(() => bodies().length).toBe(1);
  expect(bodies()[0]).not.toHaveProperty('group_id');
  await upgrade(partner, plunk);
  release();
  await expect.poll(() => bodies().at(-1)).toEqual(card);
});

test('CDR-04 CRE-06 a Credit CDR that waits behind the CDR on its way while a link moves to a newer version goes in that', async () => {
  const oasis = await openSide({});
  const { partner, bodies } = await slow('CPK', 'EMSP', ['RECEIVER cdrs', 'SENDER tokens'], 'POST /cdrs');
  expect(await partner.register(oasis)).toMatchObject({ status_code: 1000 });
  const gates = [0, 1].map(() => Promise.withResolvers<void>());
  partner.answer = async (what) => {
    if (what.startsWith('POST /cdrs')) await gates[bodies().length - 1]?.promise;
    return {};
  };
  const { session_id: _, ...sessionless } = exampleCdr;
  const cdrOf = (id: string): Cdr => ({ ...sessionless, id, cdr_token: { ...exampleCdr.cdr_token, party_id: 'CPK' } });
  const issue = async (...cdrs: Cdr[]) => {
    for (const one of cdrs) {
      const tokenParty = { countryCode: 'CA', partyId: 'CPK' };
      await oasis.neighbours.tell(told(cdrIssued, { cdrId: one.id, sessionId: 'S', credit: one.credit ?? false, tokenParty, cdrJson: toJsonBytes(one) }));
      await heard(oasis, 'cdr-ledger', 'S');
    }
  };
  const ids = () => bodies().map(({ id }) => id);
  const credit = creditCdr(cdrOf('S-1-1'), '2022-02-02T17:00:00Z');
  await issue(cdrOf('S-0-1'));
  await expect.poll(ids).toEqual(['S-0-1']);
  // Both wait behind it, and are taken together.
  await issue(cdrOf('S-1-1'), credit);
  gates[0]!.resolve();
  await expect.poll(ids).toEqual(['S-0-1', 'S-1-1']);
  await upgrade(partner, oasis);
  gates[1]!.resolve();
  await expect.poll(ids).toEqual(['S-0-1', 'S-1-1', 'S-1-1-C']);
  expect(bodies()[2]).toEqual(credit);
  await oasis.close();
});
