import { afterAll, beforeAll, expect, test } from 'vitest';
import { getCdr, getStatement, listTokenCdrs, receiveCdr } from '#contracts/cdr-ledger';
import { openDispute } from '#contracts/disputes';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { type Cdr, creditCdr } from '#ocpi';
import { cdr, tariff } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

const bct = { countryCode: 'CA', partyId: 'BCT' };

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
});
afterAll(() => plunk?.stop());

const push = (body: unknown) => plunk.bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });
const found = async (cdrId: string) =>
  (await plunk.bus.ask(getCdr, { party: bct, cdrId })).findings.map(({ code }) => code);

let drivers = 0;
/** Each for a driver of its own, so that they do not overlap. */
const charged = (id: string, more: Partial<Cdr> = {}): Cdr => {
  drivers += 1;
  const cdr_token = { ...cdr.cdr_token, uid: `CARD-${drivers}`, contract_id: `CA-CPK-${drivers}` };
  return { ...cdr, id, session_id: id, cdr_token, ...more };
};

test('a tariff that is not the published one is found with the difference in money', async () => {
  const [energy, time] = tariff.elements[0]!.price_components;
  const dearer = { ...tariff, elements: [{ price_components: [{ ...energy!, price: 0.3 }, time!] }] };
  const { findings } = await push(
    charged('T-1', {
      tariffs: [dearer],
      total_cost: { excl_vat: 3.3, incl_vat: 3.47 },
      total_energy_cost: { excl_vat: 1.8, incl_vat: 1.89 },
    }),
  );
  expect(findings).toMatchObject([
    {
      code: 'tariff-not-as-published',
      detail: expect.stringContaining('it is 2.94 CAD excl. VAT, not 3.3: 0.36 CAD too much'),
      figures: { field: 'total_cost', told: '3.3', due: '2.94', currency: 'CAD', vat: 'excl' },
    },
  ]);
});

test('a finding is read with its figures, also one of which a former release noted the words alone', async () => {
  const figures = { field: 'total_cost', told: '3.94', due: '2.94', currency: 'CAD', vat: 'excl' };
  const { findings } = await push(charged('T-0', { total_cost: { excl_vat: 3.94 } }));
  expect(findings).toMatchObject([{ code: 'price-differs', figures }]);
  const { rows: [{ data }] } = await plunk.ledgerDb.query(`SELECT data::json FROM events WHERE data LIKE '%"T-0"%'`);
  expect(data.findings).toEqual([{ code: 'price-differs', detail: findings[0]!.detail, figures }]);
  await plunk.ledgerDb.query(`UPDATE cdrs SET findings = jsonb_build_array((findings -> 0) - 'figures') WHERE cdr_id = 'T-0'`);
  expect((await plunk.bus.ask(getCdr, { party: bct, cdrId: 'T-0' })).findings).toMatchObject([{ code: 'price-differs', figures }]);
  await plunk.ledgerDb.query(`UPDATE cdrs SET findings = $1 WHERE cdr_id = 'T-0'`, [JSON.stringify(data.findings)]);
});

test('a tariff that was never published to us is remarked on', async () => {
  const unheard = { ...tariff, id: 'UNHEARD' };
  const periods = cdr.charging_periods.map((period) => ({ ...period, tariff_id: 'UNHEARD' }));
  const { findings } = await push(
    charged('T-2', { tariffs: [unheard], charging_periods: periods }),
  );
  expect(findings.map(({ code }) => code)).toEqual(['tariff-not-compared']);
});

const sloppy = (original: Cdr): [string, (credit: Cdr) => object, string][] => [
  ['positive', (credit) => ({ ...credit, total_cost: original.total_cost }), 'credit-total-not-negative'],
  [
    'negated in all',
    (credit) => ({
      ...credit,
      total_energy: -6,
      total_time: -1.3333,
      total_parking_time: -0.3333,
      total_energy_cost: { excl_vat: -1.44, incl_vat: -1.512 },
      total_time_cost: { excl_vat: -1.5, incl_vat: -1.575 },
    }),
    'credit-negates-more',
  ],
  ['without its flag', ({ credit: _, ...credit }) => credit, 'negative-total'],
  ['without flag and reference', ({ credit: _, credit_reference_id: __, ...credit }) => credit, 'negative-total'],
  [
    'told by its session',
    ({ credit: _, credit_reference_id: __, ...credit }) => ({ ...credit, id: `PAY-${original.id}` }),
    'negative-total',
  ],
  ['with the id of its original', (credit) => ({ ...credit, id: original.id }), 'credit-reuses-id'],
];

test.each(sloppy(cdr).map(([name], n) => [name, n] as const))(
  'a credit that is %s is booked as the one that was meant, with the finding',
  async (_, n) => {
    const before = await balance();
    const original = charged(`C-${n}`);
    await push(original);
    const [, make, code] = sloppy(original)[n]!;
    const credited = creditCdr(original, '2022-02-01T18:23:00Z');
    const body = make(credited);
    const recorded = await push(body);
    expect(recorded.findings.map((one) => one.code)).toEqual([code]);
    expect(await push(body)).toMatchObject({ change: Change.UNCHANGED, cdrId: recorded.cdrId });
    expect(await balance()).toBe(before);
    const { cdrJson } = await plunk.bus.ask(getCdr, { party: bct, cdrId: recorded.cdrId });
    expect(fromJsonBytes(cdrJson!)).toEqual(body);
    // What its driver is shown is what was booked.
    const meant = { credit: true, total_cost: credited.total_cost, total_energy: original.total_energy, id: recorded.cdrId };
    const shown = await plunk.bus.ask(getCdr, { party: bct, cdrId: recorded.cdrId, asMeant: true });
    expect(fromJsonBytes(shown.cdrJson!)).toMatchObject({ ...meant, credit_reference_id: original.id });
    const { cdrsJson } = await plunk.bus.ask(listTokenCdrs, {
      tokenParty: { countryCode: 'CA', partyId: original.cdr_token.party_id }, tokenUid: original.cdr_token.uid, limit: 100,
    });
    expect(cdrsJson.map((json) => fromJsonBytes<Cdr>(json)).filter(({ id }) => id === recorded.cdrId)).toMatchObject([meant]);
    // It is credited: another credit is the second.
    const again = { ...creditCdr(original, '2022-02-01T18:24:00Z'), id: `AGAIN-${n}` };
    expect((await push(again)).findings.map((one) => one.code)).toEqual(['second-credit']);
    await push(creditCdr(charged(`NOTHING-${n}`), '2022-02-01T18:24:00Z'));
  },
);

async function balance(): Promise<string> {
  const { text } = await plunk.bus.ask(getStatement, { partner: bct, month: '2022-02' });
  return text.split('\n').findLast((line) => line.includes('owe'))!;
}

test('charges of one token that overlap are found with the later one, until the other is credited', async () => {
  const first = charged('O-1');
  const second = { ...charged('O-2'), cdr_token: first.cdr_token };
  const between = { ...charged('O-0'), cdr_token: first.cdr_token };
  await push(between);
  await push(first);
  await push(second);
  const { findings } = await plunk.bus.ask(getCdr, { party: bct, cdrId: 'O-2' });
  expect(findings).toEqual([
    expect.objectContaining({
      code: 'overlaps-another-charge',
      detail:
        'the same token charged from 2022-02-01T17:00:00Z to 2022-02-01T18:20:00Z by CDR O-1 of CA*BCT',
    }),
  ]);
  await push(creditCdr(first, '2022-02-01T18:23:00Z'));
  // Still another one overlaps.
  expect(await found('O-2')).toEqual(['overlaps-another-charge']);
  await push(creditCdr(between, '2022-02-01T18:24:00Z'));
  expect([await found('O-0'), await found('O-2')]).toEqual([[], []]);
});

test('a replacement that comes before the credit is a session billed twice until then', async () => {
  const first = charged('B-1');
  const replacement = { ...first, id: 'B-2' };
  await push(first);
  await push(replacement);
  expect(await found('B-2')).toEqual(['session-billed-twice']);
  await push(creditCdr(first, '2022-02-01T18:23:00Z'));
  expect(await found('B-2')).toEqual([]);
});

test('of several charges that overlap one of the same session is named before newer ones of others', async () => {
  const first = charged('P-1');
  await push(first);
  await push({ ...charged('P-2'), cdr_token: first.cdr_token });
  await push({ ...first, id: 'P-3' });
  expect(await found('P-3')).toEqual(['session-billed-twice']);
  await push(creditCdr(first, '2022-02-01T18:23:00Z'));
  expect(await found('P-3')).toEqual(['overlaps-another-charge']);
});

test('CDR-22: a credit that overtook its original is of no unknown one once that comes, and the first of two counts', async () => {
  const first = charged('V-1');
  await push(creditCdr(first, '2022-02-01T18:23:00Z'));
  await push({ ...creditCdr(first, '2022-02-01T18:24:00Z'), id: 'V-1-D', total_cost: { excl_vat: -1 } });
  expect(await found('V-1-C')).toEqual(['credit-of-unknown-original']);
  await push({ ...first, id: 'V-2' });
  await push(first);
  expect([await found('V-1'), await found('V-2'), await found('V-1-C')]).toEqual([[], [], []]);
  expect(await found('V-1-D')).toEqual(['price-differs', 'second-credit']);
  await expect(plunk.bus.ask(openDispute, { party: bct, cdrId: 'V-1', reason: 'x' })).rejects.toMatchObject({ code: 'already-credited' });
});

test('one charge after the other does not overlap, and another token is another driver', async () => {
  const first = charged('N-1');
  await push(first);
  await push({
    ...first,
    id: 'N-2',
    session_id: 'N-2',
    start_date_time: '2022-02-01T18:20:00Z',
    end_date_time: '2022-02-01T18:21:00Z',
  });
  await push(charged('N-3'));
  expect(await found('N-2')).not.toContain('overlaps-another-charge');
  expect(await found('N-3')).toEqual([]);
});

test('rows made anew say the same, as long as nothing was erased', async () => {
  const rows = async () =>
    (await plunk.ledgerDb.query('SELECT * FROM cdrs ORDER BY "position"')).rows;
  await found('N-3');
  const before = await rows();
  await plunk.ledgerDb.query(
    `BEGIN; DELETE FROM cdrs;
     UPDATE followed SET "position" = 0 WHERE follower = 'cdr-list'; COMMIT`,
  );
  await plunk.restart();
  await found('N-3');
  expect(await rows()).toEqual(before);
});

test('erasing a contract forgets when its token charged', async () => {
  const { cdr_token } = charged('E-1');
  await push({ ...charged('E-1'), cdr_token });
  await found('E-1');
  const times = async () =>
    (
      await plunk.ledgerDb.query('SELECT 1 FROM private_parts WHERE token_key = $1 AND charged_to IS NOT NULL', [
        cdr_token.uid.toLowerCase(),
      ])
    ).rowCount;
  expect(await times()).toBe(1);
  await plunk.ledgerDb.query('DELETE FROM private_parts WHERE token_key = $1', [cdr_token.uid.toLowerCase()]);
  expect(await times()).toBe(0);
  await push({ ...charged('E-2'), cdr_token });
  expect(await found('E-2')).toEqual([]);
});

test('without the tariff-engine a CDR is recorded all the same, and says so', async () => {
  await plunk.tariffEngineLeaves();
  const other = { ...tariff, id: 'NEVER-ASKED-FOR' };
  const periods = cdr.charging_periods.map((period) => ({ ...period, tariff_id: other.id }));
  const { change, findings } = await push(charged('A-1', { tariffs: [other], charging_periods: periods }));
  expect(change).toBe(Change.CREATED);
  expect(findings).toMatchObject([
    { code: 'tariff-not-compared', detail: expect.stringContaining('could not be looked up') },
  ]);
});
