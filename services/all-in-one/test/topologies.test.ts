import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Statement } from '#settlement';
import type { Receipt } from '../../../scripts/portal.ts';
import { DEMO_EPOCH } from '../../../scripts/demo-settings.ts';
import { eventually } from './stage.ts';
import { chargeByApp, chargeByCard, knows, link, openTown, type Pair, pairOf, type Town } from './town.ts';

// Three platforms, each in one process, every two of them linked once:
// North is two CPOs, one of them with drivers of its own; South is two eMSPs; West is a CPO with drivers. North speaks
// OCPI 2.2.1 alone, the others speak the newest that both have.

const clock = {
  ROAMWATT_CLOCK_EPOCH: DEMO_EPOCH, ROAMWATT_CLOCK_STARTED: new Date().toISOString(), ROAMWATT_CLOCK_RATE: '300',
};

let north: Town;
let south: Town;
let west: Town;
beforeAll(async () => {
  [north, south, west] = await Promise.all([
    openTown({ name: 'North', clock, versions: ['2.2.1'], parties: [{ id: 'NOA', roles: ['CPO', 'EMSP'] }, { id: 'NOB', roles: ['CPO'] }] }),
    openTown({ name: 'South', clock, parties: [{ id: 'SOA', roles: ['EMSP'] }, { id: 'SOB', roles: ['EMSP'] }] }),
    openTown({ name: 'West', clock, parties: [{ id: 'WES', roles: ['CPO', 'EMSP'] }] }),
  ]);
  await Promise.all([link(north, south), link(south, west), link(north, west)]);
  await Promise.all([
    knows(north, { tokens: 6, locations: 1 }), knows(south, { tokens: 0, locations: 3 }), knows(west, { tokens: 6, locations: 2 }),
    ...[north, west].map(({ charger }) => charger.until(({ event }) => event === 'booted')),
  ]);
});
afterAll(() => Promise.all([north, south, west].map((town) => town?.close())));

const four: Pair[] = ['NOA', 'NOB'].flatMap((cpo) => ['SOA', 'SOB'].map((emsp) => ({ cpo, emsp })));
const text = ({ cpo, emsp }: Pair) => `${cpo}<${emsp}`;

/** Until the one CDR of a pair is the same in both parties' ledgers. */
async function billed(pair: Pair, [at, of]: [Town, Town]) {
  const between = async (town: Town, ledger: string) => (await town.cdrs(ledger)).filter((cdr) => cdr.party_id === pair.cpo);
  return eventually(`the CDR of ${text(pair)} in both ledgers`, async () => {
    const issued = (await of.cdrs(pair.emsp)).filter((cdr) => cdr.party_id === pair.cpo);
    const [theirs] = issued;
    const ours = theirs && (await between(at, pair.cpo)).find(({ id }) => id === theirs.id);
    return ours && { ours, theirs, count: issued.length };
  });
}

test('CRE-10: the Credentials of a platform list each of its parties with each of its roles', async () => {
  const { partners } = await south.operator.get<{
    partners: { name: string; version: string; roles: { role: string; party_id: string }[] }[];
  }>('/v1/operator/partners');
  const rolesOf = (name: string) =>
    partners.find((partner) => partner.name === name)!.roles.map(({ role, party_id }) => `${party_id} ${role}`);
  expect(rolesOf('Party NOA, Party NOB')).toEqual(['NOA CPO', 'NOA EMSP', 'NOB CPO']);
  expect(rolesOf('Party WES')).toEqual(['WES CPO', 'WES EMSP']);
  expect(partners.map(({ version }) => version).sort()).toEqual(['2.2.1', '2.3.0']);
});

describe('many CPOs and many eMSPs over one connection', () => {
  const agreement = ({ cpo, emsp }: Pair, fee: string) => ({
    valid_from: '2022-02',
    time_zone: 'America/Vancouver',
    currencies: ['CAD'],
    parties: [cpo, emsp].map((party_id) => ({
      country_code: 'CA',
      party_id,
      name: `Party ${party_id}`,
      country: 'CAN',
      state: 'BC',
    })),
    fees: [
      {
        name: `Fee of ${cpo} and ${emsp}`,
        cdrs_of: { country_code: 'CA', party_id: cpo },
        per: 'session',
        amount: fee,
        currency: 'CAD',
        paid_by: 'EMSP',
      },
    ],
  });

  test('each pair of parties has an agreement of its own, which both platforms enter alike', async () => {
    for (const [n, pair] of four.entries()) {
      const terms = agreement(pair, `0.${n + 1}`);
      const [theirs, ours] = await Promise.all([
        north.operator.put<{ version: number; fingerprint: string }>(`/v1/operator/partners/CA/${pair.emsp}/agreement`, terms),
        south.operator.put<{ version: number; fingerprint: string }>(`/v1/operator/partners/CA/${pair.cpo}/agreement`, terms),
      ]);
      expect([theirs.version, theirs.fingerprint]).toEqual([1, ours.fingerprint]);
    }
    await expect(north.operator.get('/v1/operator/partners/CA/SOA/agreement')).rejects.toThrow(/own_party.*CA\*NOA, CA\*NOB/);
    const { versions } = await north.operator.get<{ versions: object[] }>('/v1/operator/partners/CA/SOB/agreement?own_party=CA*NOB');
    expect(versions).toEqual([
      expect.objectContaining({
        agreement: expect.objectContaining({ fees: [expect.objectContaining({ amount: '0.4' })] }),
      }),
    ]);
  });

  test('two parties of one platform have one agreement with each other, and each sees it from its side', async () => {
    const terms = agreement({ cpo: 'NOB', emsp: 'NOA' }, '0.09');
    const { warnings, fingerprint } = await north.operator.put<{ warnings: string[]; fingerprint: string }>('/v1/operator/partners/CA/NOA/agreement', terms);
    expect(warnings).toEqual([]);
    const seenBy = async (own: string, other: string) => (await north.operator.get<{ statement: Statement }>(
      `/v1/operator/statements/CA/${other}/2022-02?own_party=CA*${own}`)).statement.agreement;
    await expect.poll(() => seenBy('NOB', 'NOA')).toBe(fingerprint);
    expect(await seenBy('NOA', 'NOB')).toBe(fingerprint);
  });

  test('every driver charges at every CPO, and each Session and CDR goes to its own pair of parties', async () => {
    // By card, and once by START_SESSION, which goes to the Location's party.
    await Promise.all([
      (async () => {
        await chargeByCard(north, { cpo: 'NOA', emsp: 'SOA' });
        await chargeByCard(north, { cpo: 'NOA', emsp: 'SOB' });
      })(),
      (async () => {
        await chargeByApp(north, south, { cpo: 'NOB', emsp: 'SOB' });
        await chargeByCard(north, { cpo: 'NOB', emsp: 'SOA' });
      })(),
    ]);
    for (const pair of four) {
      const { ours, theirs, count } = await billed(pair, [north, south]);
      expect(count).toBe(1);
      expect(theirs).toEqual(ours);
      expect(theirs.tariffs).toMatchObject([{ party_id: pair.cpo, id: `TARIFF-${pair.cpo}` }]);
    }
    const sessions = await eventually('South has the four Sessions, COMPLETED', async () => {
      const held = await south.sessions();
      return held.length === 4 && held.every(({ status }) => status === 'COMPLETED') && held;
    });
    expect(sessions.map(pairOf).toSorted()).toEqual(four.map(text).toSorted());
    await expect.poll(async () => (await north.sessions()).filter(({ status }) => status === 'COMPLETED').map(pairOf).toSorted())
      .toEqual(four.map(text).toSorted());
  });

  test('each party has a chain of its own, and in it what is its own', async () => {
    for (const [town, parties] of [[north, ['NOA', 'NOB']], [south, ['SOA', 'SOB']]] as const) {
      for (const party of parties) expect(await town.cdrs(party)).toHaveLength(2);
      const { chains } = await town.operator.get<{ chains: { chain: string; intact: boolean; entries: number }[] }>('/v1/operator/ledger');
      for (const party of parties) {
        expect(chains).toContainEqual(expect.objectContaining({ chain: `CA*${party}`, intact: true }));
      }
      await expect(town.operator.file('/v1/operator/ledger/export')).rejects.toThrow(/own_party/);
      const exported = (await town.operator.file(`/v1/operator/ledger/export?own_party=CA*${parties[1]}`)).toString();
      expect(JSON.parse(exported.split('\n')[0]!)).toMatchObject({ ledger: `CA*${parties[1]}`, name: `Party ${parties[1]}` });
    }
  });

  test('each pair settles with one statement that both sides make alike, with the fees of its own agreement', async () => {
    const statement = (town: Town, partner: string, own: string) => town.operator.get<{ statement: Statement; text: string }>(
      `/v1/operator/statements/CA/${partner}/2022-02?own_party=CA*${own}`,
    );
    for (const [n, pair] of four.entries()) {
      const both = await eventually(`the statements of ${text(pair)} agree`, async () => {
        const [theirs, ours] = await Promise.all([statement(north, pair.emsp, pair.cpo), statement(south, pair.cpo, pair.emsp)]);
        return JSON.stringify(ours.statement) === JSON.stringify(theirs.statement) && ours;
      });
      expect(both.text).toContain(`Fee of ${pair.cpo} and ${pair.emsp}`);
      expect(both.text).toContain(`0.${n + 1}`);
      for (const other of four.filter((one) => one !== pair)) expect(both.text).not.toContain(`Fee of ${other.cpo} and ${other.emsp}`);
      const { ours } = await billed(pair, [north, south]);
      expect(JSON.stringify(both.statement)).toContain(ours.id);
    }
    await expect(north.operator.get('/v1/operator/statements/CA/SOA/2022-02')).rejects.toThrow(/own_party: say which .*CA\*NOA, CA\*NOB/);
  });

  test('drivers see what is their own, and their accounts are in the ledger of their own party', async () => {
    for (const emsp of ['SOA', 'SOB']) {
      const driver = await south.driver(emsp);
      await expect.poll(async () =>
        (await driver.get<{ receipts: Receipt[] }>('/v1/receipts')).receipts.map(({ party_id }) => party_id).toSorted()).toEqual(['NOA', 'NOB']);
      const booked = await south.query<{ ledger: string }>(
        `SELECT ledger FROM cdr_ledger.chain JOIN cdr_ledger.events USING ("position") WHERE type = 'ChargeBooked' AND ledger = $1`,
        [`CA*${emsp}/accounts`],
      );
      expect(booked).toHaveLength(2);
    }
  });
});

test('an eMSP platform with two CPO platforms: each of them has the charges at its own stations, and no other', async () => {
  const pair = { cpo: 'WES', emsp: 'SOA' };
  await chargeByCard(west, pair);
  const { ours, theirs } = await billed(pair, [west, south]);
  expect(theirs).toEqual(ours);
  expect((await west.sessions()).map(pairOf)).toEqual(['WES<SOA']);
  expect((await north.sessions()).map(pairOf)).not.toContain('WES<SOA');
  expect((await south.sessions()).map(pairOf)).toContain('WES<SOA');
});

test('mixed roles on both platforms: drivers of each charge at the other, and both directions are one statement', async () => {
  const [there, back] = [{ cpo: 'WES', emsp: 'NOA' }, { cpo: 'NOA', emsp: 'WES' }];
  await Promise.all([chargeByApp(west, north, there), chargeByApp(north, west, back)]);
  const [one, other] = [await billed(there, [west, north]), await billed(back, [north, west])];
  for (const { ours, theirs } of [one, other]) expect(theirs).toEqual(ours);
  // Both CDRs are in the one ledger of each: issued and received.
  expect((await west.cdrs('WES')).map(({ id }) => id)).toEqual(expect.arrayContaining([one.ours.id, other.ours.id]));
  expect((await north.cdrs('NOA')).map(({ id }) => id)).toEqual(expect.arrayContaining([one.ours.id, other.ours.id]));
  const statement = await eventually('the statements of NOA and WES agree', async () => {
    const [theirs, ours] = await Promise.all([
      north.operator.get<{ statement: Statement }>('/v1/operator/statements/CA/WES/2022-02?own_party=CA*NOA'),
      west.operator.get<{ statement: Statement }>('/v1/operator/statements/CA/NOA/2022-02'),
    ]);
    return JSON.stringify(theirs.statement) === JSON.stringify(ours.statement) && theirs.statement;
  });
  for (const { ours } of [one, other]) expect(JSON.stringify(statement)).toContain(ours.id);
});
