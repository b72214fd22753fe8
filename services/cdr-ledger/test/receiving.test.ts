import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import {
  getCdr,
  getStatement,
  listCdrs,
  listReceivedCdrs,
  listTokenCdrs,
  receiveCdr,
  verifyLedger,
} from '#contracts/cdr-ledger';
import { partnerRegistered } from '#contracts/ocpi-gateway';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { type Cdr, creditCdr } from '#ocpi';
import { cdr, tariff, token } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };

let plunk: LedgerPlatform;

beforeAll(async () => {
  const party = {
    country_code: 'CA',
    party_id: 'CPK',
    name: 'Carbon Plunk',
    roles: ['EMSP'],
    currency: 'CAD',
  };
  plunk = await ledgerPlatform({ party }, '2022-02-01T18:22:00Z');
  plunk.published.set('LOCAL', local);
  await plunk.tellAsGateway(
    told(partnerRegistered, {
      partnerId: 'p1',
      name: 'Energy OASIS',
      version: '2.2.1',
      at: '2022-02-01T17:00:00Z',
      roles: [{ role: 'CPO', party: bct, name: 'Energy OASIS' }],
    }),
  );
});
afterAll(() => plunk?.stop());

const push = (body: unknown) => plunk.bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });
const codes = async (body: unknown) => (await push(body)).findings.map(({ code }) => code);
const numbered = (id: string, more: Partial<Cdr> = {}): Cdr => ({
  ...cdr,
  id,
  session_id: id,
  ...more,
});
const local = {
  ...tariff,
  id: 'LOCAL',
  elements: [{ ...tariff.elements[0]!, restrictions: { start_time: '06:00', end_time: '22:00' } }],
};
const byLocal = {
  tariffs: [local],
  charging_periods: cdr.charging_periods.map((period) => ({ ...period, tariff_id: 'LOCAL' })),
};

test('a CDR is recorded, priced anew in the zone of its Location, and told once', async () => {
  const body = numbered('R-1', byLocal);
  expect(await push(body)).toMatchObject({
    change: Change.CREATED,
    party: bct,
    cdrId: 'R-1',
    findings: [],
  });
  expect(await push(body)).toMatchObject({ change: Change.UNCHANGED, findings: [] });
  await expect.poll(() => plunk.received.length).toBe(1);
  expect(plunk.received[0]).toMatchObject({
    cdrId: 'R-1',
    party: bct,
    credit: false,
    tokenUid: token.uid,
  });
  expect(fromJsonBytes(plunk.received[0]!.cdrJson)).toEqual(body);
});

test('it can be read as it came, byte for byte, with its own explanation', async () => {
  const text = JSON.stringify(numbered('R-RAW', { remark: 'as is' } as Partial<Cdr>), null, 1);
  await push(text);
  const found = await plunk.bus.ask(getCdr, { party: bct, cdrId: 'r-raw' });
  expect(Buffer.from(found.cdrJson!).toString()).toBe(text);
  expect(found).toMatchObject({ repricedExclVat: '2.94', repricedInclVat: '3.09' });
  expect(found.explanationText).toContain('2022-02-01 09:00');
});

test('CDR-02 CDR-21 the same content in another order is no news; another content is refused', async () => {
  const body = numbered('R-2');
  await push(body);
  expect(await push(Object.fromEntries(Object.entries(body).reverse()))).toMatchObject({
    change: Change.UNCHANGED,
  });
  await expect(push({ ...body, total_energy: 6.1 })).rejects.toMatchObject({
    code: 'cdr-differs-from-recorded',
  });
});

test.each<[string, unknown, string, RegExp]>([
  ['no JSON', '{"id":', 'invalid-object', /JSON/],
  ['a list', [], 'invalid-object', /object/],
  ['no currency', { ...cdr, currency: undefined }, 'invalid-object', /^currency: is missing/],
  [
    'no period',
    { ...cdr, charging_periods: [] },
    'invalid-object',
    /^charging_periods: must hold at least one/,
  ],
  [
    'a number as text',
    { ...cdr, total_energy: '6' },
    'invalid-object',
    /^total_energy: must be a JSON number/,
  ],
  [
    'a Credit CDR of nothing',
    { ...cdr, credit: true },
    'credit-without-reference',
    /^credit_reference_id/,
  ],
  [
    'a CDR of ourselves',
    { ...cdr, party_id: 'CPK' },
    'invalid-object',
    /^party_id: CA\*CPK is ourselves/,
  ],
  [
    'more than is read',
    { ...cdr, remark: 'x'.repeat(300_000) },
    'invalid-object',
    /body has \d+ bytes/,
  ],
])('%s is refused by name, and leaves no trace', async (_, body, code, detail) => {
  const before = (await plunk.ledgerDb.query('SELECT 1 FROM events')).rowCount;
  await expect(push(body)).rejects.toMatchObject({ code, detail: expect.stringMatching(detail) });
  expect((await plunk.ledgerDb.query('SELECT 1 FROM events')).rowCount).toBe(before);
  const { rows } = await plunk.ledgerDb.query(
    'SELECT 1 FROM private_parts WHERE id NOT IN (SELECT private_id FROM cdrs)',
  );
  expect(rows).toEqual([]);
});

test('a wrong price, a strange token, an unknown Location and a time to come are recorded and flagged', async () => {
  expect(await codes(numbered('R-3', { total_cost: { excl_vat: 29.4, incl_vat: 30.87 } }))).toEqual(
    ['price-differs'],
  );
  expect(
    await codes(numbered('R-4', { cdr_token: { ...cdr.cdr_token, party_id: 'XYZ' } })),
  ).toEqual(['token-of-another-party']);
  const elsewhere = { ...cdr.cdr_location, id: 'ELSEWHERE' };
  expect(await codes(numbered('R-5', { ...byLocal, cdr_location: elsewhere }))).toEqual([
    'time-zone-unknown',
  ]);
  expect(await codes(numbered('R-6', { last_updated: '2023-01-01T00:00:00Z' }))).toEqual([
    'time-in-the-future',
  ]);
});

test('CDR-22 a credit of what we have is right once; a second one and one of nothing are flagged', async () => {
  const original = numbered('R-7');
  await push(original);
  const credit = creditCdr(original, '2022-02-01T18:23:00Z');
  expect(await codes(credit)).toEqual([]);
  expect(await codes(credit)).toEqual([]);
  expect(await codes({ ...credit, id: 'R-7-D' })).toEqual(['second-credit']);
  expect(await codes(creditCdr(numbered('R-NEVER'), '2022-02-01T18:23:00Z'))).toEqual([
    'credit-of-unknown-original',
  ]);
  const half = {
    ...creditCdr(numbered('R-2'), '2022-02-01T18:23:00Z'),
    total_cost: { excl_vat: -1, incl_vat: -1.05 },
  };
  expect(await codes(half)).toEqual(['price-differs', 'credit-differs-from-original']);
});

test('two pushes at the same time are one record', async () => {
  const body = numbered('R-8');
  const changes = (await Promise.all(Array.from({ length: 8 }, () => push(body)))).map(
    ({ change }) => change,
  );
  expect(changes.filter((change) => change === Change.CREATED)).toHaveLength(1);
  const stored = await plunk.ledgerDb.query(
    `SELECT 1 FROM events WHERE stream = 'received-CA-BCT-r-8'`,
  );
  expect(stored.rowCount).toBe(1);
});

test('what drivers of ours charged is what we owe, less the credits', async () => {
  const { text } = await plunk.bus.ask(getStatement, { partner: bct, month: '2022-02' });
  // R-1, R-RAW, R-2, R-5, R-7 and R-8 at 3.09, R-3 at 30.87; R-7's two credits, R-NEVER's, and 1.05
  // of R-2.
  expect(text.split('\n').at(-1)).toBe('Carbon Plunk owes Energy OASIS 39.09 CAD');
  expect(text).toContain('(price-differs, overlaps-another-charge)');
});

test("a partner's CDRs are receipts of our drivers, and none of our own", async () => {
  const { cdrsJson } = await plunk.bus.ask(listTokenCdrs, {
    tokenParty: cpk,
    tokenUid: token.uid,
    limit: 3,
  });
  expect(cdrsJson).toHaveLength(3);
  const { total } = await plunk.bus.ask(listCdrs, {
    tokenParties: [bct, cpk],
    page: { offset: 0, limit: 10 },
  });
  expect(total).toBe(0);
});

test('all that partners sent is walked through by a cursor, in the order in which it came, or what one issuer sent', async () => {
  const walked = async (more: object, limit = 3) => {
    const ids: string[] = [];
    for (let after = '', page = 0; page < 50; page += 1) {
      const { cdrsJson, next } = await plunk.bus.ask(listReceivedCdrs, { limit, after, ...more });
      ids.push(...cdrsJson.map((bytes) => fromJsonBytes<Cdr>(bytes).id));
      after = next;
      if (after === '') return ids;
    }
    throw new Error('there is no end');
  };
  const all = await walked({});
  expect(all[0]).toBe('R-1');
  expect(new Set(all).size).toBe(all.length);
  expect(await walked({}, 1_000)).toEqual(all);
  expect(await walked({ issuer: bct })).toEqual(all);
  expect(await walked({ issuer: cpk })).toEqual([]);
  const [from, to] = [await walked({ dateFrom: cdr.last_updated }), await walked({ dateTo: cdr.last_updated })];
  expect([...from, ...to].sort()).toEqual([...all].sort());
  expect(from).toContain('R-1');
  await expect(plunk.bus.ask(listReceivedCdrs, { limit: 1, after: 'x' })).rejects.toMatchObject({ code: 'invalid-cursor' });
});

test('those in doubt are listed alone, each with what was found in it', async () => {
  const listed = async (more: object) => {
    const { cdrsJson, found } = await plunk.bus.ask(listReceivedCdrs, { limit: 100, ...more });
    return cdrsJson.map((bytes, n) => ({
      id: fromJsonBytes<Cdr>(bytes).id,
      codes: found[n]!.findings.map(({ code }) => code),
    }));
  };
  const all = await listed({});
  const inDoubt = await listed({ inDoubt: true });
  expect(inDoubt).toEqual(all.filter(({ codes }) => codes.length > 0));
  expect(inDoubt.length).toBeGreaterThan(0);
  expect(inDoubt.length).toBeLessThan(all.length);
  expect(inDoubt.find(({ id }) => id === 'R-3')?.codes).toContain('price-differs');
  // What the meter signed bears this one out: nothing to look into.
  const valid = `'[{"code": "signed-data-valid", "detail": "The meter says so."}]'`;
  await plunk.ledgerDb.query(`UPDATE cdrs SET findings = ${valid} WHERE cdr_id = 'R-1'`);
  expect((await listed({})).find(({ id }) => id === 'R-1')?.codes).toEqual(['signed-data-valid']);
  expect(await listed({ inDoubt: true })).toEqual(inDoubt);
  await plunk.ledgerDb.query(`UPDATE cdrs SET findings = '[]' WHERE cdr_id = 'R-1'`);
});

test('the chain of what was received verifies', async () => {
  const { chains } = await plunk.bus.ask(verifyLedger, {});
  expect(chains).toMatchObject([{ chain: 'CA*CPK', intact: true }]);
  expect(chains[0]!.entries).toBeGreaterThan(10);
});

test('a push that is repeated after the contract was erased is no news, and a changed one is still refused', async () => {
  const body = numbered('R-9', { cdr_token: { ...cdr.cdr_token, contract_id: 'CA-CPK-ERASE-ME' } });
  await push(body);
  await plunk.ledgerDb.query(`DELETE FROM private_parts WHERE contract_key = 'ca-cpk-erase-me'`);
  expect(await push(body)).toMatchObject({ change: Change.UNCHANGED });
  await expect(push({ ...body, total_energy: 7 })).rejects.toMatchObject({
    code: 'cdr-differs-from-recorded',
  });
  const { cdrJson } = await plunk.bus.ask(getCdr, { party: bct, cdrId: 'R-9' });
  expect(fromJsonBytes<Cdr>(cdrJson!)).toMatchObject({
    total_cost: cdr.total_cost,
    cdr_token: { party_id: 'CPK', uid: 'ERASED' },
  });
});

test('CDR-04: a credit that keeps the VAT or some of the energy does not take back all of its original', async () => {
  const original = numbered('R-VAT');
  await push(original);
  const credit = creditCdr(original, '2022-02-01T18:23:00Z');
  const details = async (body: Cdr) =>
    (await push(body)).findings.filter(({ code }) => code === 'credit-differs-from-original').map(({ detail }) => detail);
  expect(await details({ ...credit, total_cost: { excl_vat: -2.94, incl_vat: -2.94 } })).toEqual([
    'credits 2.94 CAD incl. VAT of the 3.09 CAD that CDR R-VAT charged',
  ]);
  const another = numbered('R-KWH');
  await push(another);
  expect(await details({ ...creditCdr(another, '2022-02-01T18:23:00Z'), total_energy: 5 })).toEqual([
    'credits 5 kWh of the 6 kWh that CDR R-KWH charged',
  ]);
});

test('CDR-03: a credit without its flag is understood, however long its id is, and no other CDR has such an id', async () => {
  const original = numbered('6f1f7a52-58c1-4f0e-9a3e-0d7f0f3c2b11');
  await push(original);
  const { credit: _, ...unflagged } = creditCdr(original, '2022-02-01T18:23:00Z');
  expect(await codes(unflagged as Cdr)).toEqual(['negative-total']);
  await expect(push({ ...original, id: `${original.id}-2` })).rejects.toMatchObject({ code: 'invalid-object' });
});

test('a credit of the same number in another currency takes back something else', async () => {
  const abroad = numbered('R-ABROAD');
  await push(abroad);
  const { findings } = await push({ ...creditCdr(abroad, '2022-02-01T18:23:00Z'), currency: 'EUR' });
  expect(findings.find(({ code }) => code === 'credit-differs-from-original')).toMatchObject({
    detail: 'credits 2.94 EUR of the 2.94 CAD that CDR R-ABROAD charged', figures: { field: 'currency', told: 'EUR', due: 'CAD' },
  });
});
