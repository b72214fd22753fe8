import { afterAll, beforeAll, expect, test } from 'vitest';
import { toJsonBytes } from '#contracts';
import { type EventStore, postgresEventStore } from '#event-store';
import { type Cdr, creditCdr } from '#ocpi';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import type { CdrIssued } from '../src/cdr.ts';
import { taxedBack } from '../src/correcting.ts';
import { follow } from '../src/follow.ts';
import { ledgerForgetting } from '../src/forgetting.ts';
import { migrations } from '../src/migrations.ts';
import { cdrList } from '../src/projections/cdr-list.ts';
import { FORGET } from '../src/projections/overlaps.ts';
import { rowOf } from '../src/projections/cdr-row.ts';
import { rebuildBeside, RebuildTakenOver } from '../src/rebuild.ts';
import { carbonPlunk, cdr, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

/** A partner's CDR for a driver of ours. */
const theirs = { ...cdr, party_id: 'XYZ', cdr_token: { ...cdr.cdr_token, party_id: 'BCT' } };

let there: TestLedger;

beforeAll(async () => {
  there = await testLedger();
  const { ledger, clock } = there;
  for (let n = 1; n <= 3; n += 1) {
    await ledger.issue({
      session: { ...session, id: `S-${n}` },
      location,
      tariff,
      tariffVersion: 1,
      token,
      energyWh: '6000',
    });
    await ledger.acknowledge({
      cdrId: `S-${n}-1`,
      at: clock.iso(),
      locationUrl: `https://cpk.example/${n}`,
    });
    clock.advance(60_000);
  }
  await ledger.correct({
    commandId: 'c',
    cdrId: 'S-2-1',
    reason: 'wrong',
    withoutReplacement: false,
  });
  await ledger.receive(toJsonBytes(creditCdr({ ...theirs, id: 'NEVER' }, cdr.last_updated)));
  await ledger.receive(toJsonBytes(theirs));
  await ledger.receive(toJsonBytes(creditCdr(theirs, cdr.last_updated)));
  await ledger.receive(toJsonBytes({ ...creditCdr(theirs, cdr.last_updated), id: 'AGAIN' }));
});
afterAll(() => there?.close());

async function rows() {
  await there.list.caughtUp();
  return (await there.superuser.query('SELECT * FROM cdrs ORDER BY "position"')).rows;
}

test('what a tax was called when its CDR was recorded it is called for ever, also where today\'s data would name it otherwise', async () => {
  const before = await rows();
  const noted = before.filter(({ taxes }) => taxes !== null);
  expect(noted.length).toBeGreaterThan(3);
  const texts = (await there.superuser.query(`SELECT "position", data FROM events WHERE type IN ('CdrIssued', 'CdrCredited', 'CdrReceived')`)).rows;
  const entries = new Map(texts.map(({ position, data }) => [position, JSON.parse(data) as { taxed?: { taxes: object[] } }]));
  for (const { position, taxes } of before) expect(entries.get(position)!.taxed?.taxes).toEqual(taxes ?? []);
  // As a release whose data did not have the place would have noted it.
  const first = entries.get(noted[0].position)!;
  const data = { ...first, taxed: { taxes: [{ code: 'VAT', rate: '5', base: '2.94', amount: '0.15' }], remarks: [] } };
  const row = rowOf(true, data as unknown as CdrIssued & { findings: [] });
  expect(JSON.parse(row.taxes!)).toEqual(data.taxed.taxes);
  expect(taxedBack(creditCdr((data as unknown as CdrIssued).cdr as Cdr, cdr.last_updated), data.taxed)).toEqual({
    taxes: [{ code: 'VAT', rate: '5', base: '-2.94', amount: '-0.15' }], remarks: [],
  });
  const { taxed: _, ...former } = data;
  expect(JSON.parse(rowOf(true, former as unknown as CdrIssued & { findings: [] }).taxes!)).toMatchObject([{ code: 'GST' }]);
});

test('the whole log read twice makes the same rows, and the same statement', async () => {
  const before = await rows();
  const statement = await there.settling.statement(carbonPlunk, '2022-02');
  expect(before).toHaveLength(9);
  await there.list.rebuild();
  expect(await rows()).toEqual(before);
  await there.list.rebuild();
  expect(await rows()).toEqual(before);
  expect(await there.settling.statement(carbonPlunk, '2022-02')).toEqual(statement);
});

test('the list can be made anew while CDRs come in', async () => {
  const rebuilt = there.list.rebuild();
  await there.ledger.issue({
    session: { ...session, id: 'S-9' },
    location,
    tariff,
    tariffVersion: 1,
    token,
    energyWh: '6000',
  });
  await rebuilt;
  expect((await rows()).map(({ cdr_key }) => cdr_key).at(-1)).toBe('s-9-1');
  expect(await rows()).toHaveLength(10);
});

test('an original knows its credit, and each credit what is wrong with it', async () => {
  const found = (await rows()).map(({ cdr_key, credited_by, findings }) =>
    [cdr_key, credited_by, ...findings.map(({ code }: { code: string }) => code)]
      .filter(Boolean)
      .join(' '),
  );
  expect(found.slice(3, 9)).toEqual([
    's-2-1-c',
    's-2-2',
    'never-c credit-of-unknown-original',
    `${cdr.id.toLowerCase()} ${cdr.id}-C`,
    `${cdr.id.toLowerCase()}-c`,
    'again second-credit',
  ]);
  expect(found[1]).toBe('s-2-1 S-2-1-C');
});

test('while a list is made anew every reader sees all that is recorded, and writers go on', async () => {
  const own = [carbonPlunk];
  const whole = { offset: 0, limit: 5 };
  let issued = (await there.ledger.page(own, whole)).total;
  const issue = async (id: string) => {
    const charged = { session: { ...session, id }, location, tariff, tariffVersion: 1 };
    await there.ledger.issue({ ...charged, token, energyWh: '6000' });
    issued += 1;
  };
  // More than are read at once.
  for (let from = 0; from < 1_200; from += 100)
    await Promise.all(Array.from({ length: 100 }, (_, n) => issue(`MANY-${from + n}`)));
  await there.list.caughtUp();
  let isRebuilding = true;
  const rebuilt = there.list.rebuild().finally(() => (isRebuilding = false));
  let reads = 0;
  const reading = (async () => {
    for (; isRebuilding; reads += 1) {
      const before = issued;
      const { cdrs, total } = await there.ledger.page(own, whole);
      expect(total).toBeGreaterThanOrEqual(before);
      expect(cdrs[0]?.cdr.id).toBe('S-1-1');
      await issue(`MEANWHILE-${reads}`);
      expect(await there.ledger.find(cdr, `MEANWHILE-${reads}-1`)).toMatchObject({ own: true });
    }
  })();
  await Promise.all([rebuilt, reading]);
  expect(reads).toBeGreaterThan(0);
  const before = await rows();
  expect(before.filter(({ own: isOwn }) => isOwn)).toHaveLength(issued);
  await there.list.rebuild();
  expect(await rows()).toEqual(before);
});

test('what is forgotten while a list is made anew is forgotten in the new one, too', async () => {
  const { ledger, db, store, list, parties, clock } = there;
  const contract = { ...theirs.cdr_token, uid: 'TWICE', contract_id: 'CA-BCT-TWICE' };
  for (const id of ['T-1', 'T-2']) await ledger.receive(toJsonBytes({ ...theirs, id, session_id: id, cdr_token: contract }));
  await ledger.receive(toJsonBytes({ ...theirs, id: 'T-3', session_id: 'T-3', cdr_token: { ...contract, uid: 'OTHER', contract_id: 'CA-BCT-OTHER' } }));
  const holder = {
    party: { country_code: 'CA', party_id: 'BCT' }, contractId: contract.contract_id, tokenUids: [contract.uid],
    visualNumbers: [], otherContractIds: [], at: clock.iso(),
  };
  const overlapping = async () => (await rows()).flatMap(({ cdr_id, findings }) =>
    findings.some(({ code }: { code: string }) => code === 'overlaps-another-charge') ? [cdr_id] : []);
  expect(await overlapping()).toEqual(['T-2']);
  const { forget } = ledgerForgetting({ db, clock, parties, timeZone: 'America/Vancouver', followings: [list] });
  // When all but the newest CDR are in the new rows.
  let ends = 0;
  const readAll: EventStore['readAll'] = async (from, limit) => {
    const events = await store.readAll(from, limit);
    if (events.length === limit || (ends += 1) > 2) return events;
    if (ends === 1) return events.slice(0, -1);
    await forget(holder);
    return events;
  };
  await rebuildBeside(db, { ...store, readAll }, { ...cdrList(), tables: cdrList().tables! }, new AbortController().signal);
  expect(ends).toBe(2);
  expect(await overlapping()).toEqual([]);
});

test('whose charges overlapped is forgotten by reading the CDRs that say so, not all that are flagged, also in a list made anew', async () => {
  const plan = () => there.db.tx(async (tx) => (await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${FORGET.text}`)).rows
    .map((row) => row['QUERY PLAN']).join('\n'), { byIndex: true });
  await there.list.rebuild();
  expect(await plan()).not.toMatch(/Filter: .*jsonb_path_exists/);
  // Nor all that overlap for each of them.
  expect(await plan()).not.toMatch(/CTE Scan on found found_1|SubPlan \d+\n.*Aggregate/);
});

test('the operator rebuilds by name what may be rebuilt; a log or a chain never', async () => {
  const { projections } = there;
  expect(await projections.list()).toMatchObject([
    { name: 'chain', rebuildable: false },
    { name: 'cdr-list', rebuildable: true },
    { name: 'dispute-list', rebuildable: true },
  ]);
  expect(await projections.rebuild('cdr-list')).toMatchObject({ name: 'cdr-list', rebuildable: true });
  for (const name of ['chain', 'events', ''])
    await expect(projections.rebuild(name)).rejects.toThrow('name: may be cdr-list, dispute-list');
  for (const table of ['events', 'chain', 'private_parts', 'heads'])
    await expect(there.db.query('SELECT begin_rebuild($1::text[])', [[table]])).rejects.toMatchObject({
      failure: 'permission-denied',
    });
});

test('a rebuild that another one took over changes nothing', async () => {
  await there.list.caughtUp();
  const before = await rows();
  const other = follow(there.db, there.store, cdrList(), there.log);
  const ended = await Promise.allSettled([there.list.rebuild(), other.rebuild()]);
  expect(ended.some(({ status }) => status === 'fulfilled')).toBe(true);
  for (const one of ended) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(RebuildTakenOver);
  expect(await rows()).toEqual(before);
  await other.stop();
});

test('a crash of the database that undoes the newest rows and their position leaves no gap', async () => {
  const before = await rows();
  // What is left after the crash: everything up to some position, under followers that know of more.
  await there.superuser.query(
    `WITH undone AS (DELETE FROM cdrs WHERE "position" > (SELECT max("position") - 5 FROM cdrs) RETURNING "position")
     UPDATE followed SET "position" = (SELECT min("position") - 1 FROM undone) WHERE follower = 'cdr-list'`,
  );
  await there.ledger.issue({ session: { ...session, id: 'AFTER' }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
  const after = await rows();
  expect(after.slice(0, -1)).toEqual(before);
  expect(after.at(-1)).toMatchObject({ cdr_key: 'after-1' });
});

test('what a release before listed in one table and settled in another is made anew of the log, acknowledged as it was', async () => {
  await there.list.caughtUp();
  const { url, drop } = await freshDatabase();
  const before = await openDatabase({
    url, schema: 'cdr_ledger', migrations: migrations.slice(0, migrations.findIndex(({ name }) => name === 'cdr-ledger-settled-in-list')),
  });
  const log = await there.store.readAll(0n, 12);
  const store = postgresEventStore(before);
  for (const { stream, version, id, type, data } of log)
    await store.append([{ stream, expected: version - 1, events: [{ id, type, data }] }]);
  await before.query(`INSERT INTO followed (follower, "position") VALUES ('cdr-list', 12), ('settlement', 12)`);
  await store.close();
  await before.close();
  const upgraded = await testLedger({ on: url });
  await upgraded.list.caughtUp();
  const made = `SELECT * FROM cdrs WHERE "position" <= 12 ORDER BY "position"`;
  const rows = (await upgraded.superuser.query(made)).rows;
  expect(rows).toEqual((await there.superuser.query(made)).rows);
  expect(rows.map(({ acknowledged_at }) => acknowledged_at !== null).slice(0, 3)).toEqual([true, true, true]);
  expect((await upgraded.superuser.query('SELECT follower FROM followed ORDER BY 1')).rows).not.toContainEqual({ follower: 'settlement' });
  await upgraded.close();
  await drop();
});
