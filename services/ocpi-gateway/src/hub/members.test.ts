import { expect, test } from 'vitest';
import { openDue, workDue } from '#due';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { systemClock } from '#time';
import { migrations } from '../migrations.ts';
import { findPartner } from '../partners/partner-rows.ts';
import { BEHIND_AT_MOST, clientsOf, keepListed } from './client-info-rows.ts';
import { HubMembers, type MembersParts } from './members.ts';

test('HUB-24: a member that comes back while it is found to have gone is watched', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('p', 'Carbon Plunk', 'unregistered', 'https://plunk.example/versions')`);
  const settings = { quiet_s: 0.05, offline_check_s: 30, never: [], planned: [], planned_since: '2022-01-01T00:00:00Z' };
  const calls = { to: () => ({ get: async () => ({ kind: 'ok', http: 200, statusCode: 1000, data: [], headers: {}, timestamp: '' }) }) };
  const log = { warn: () => {}, info: () => {}, error: () => {} };
  const members = new HubMembers({ db, clock: systemClock, settings, calls, log, worker: () => worker } as unknown as MembersParts);
  const looked = Promise.withResolvers<void>();
  const joined = Promise.withResolvers<void>();
  let looks = 0;
  const worker = workDue(db, systemClock, {
    kinds: {
      watch: async (due) => {
        const outcome = await members.watch(due);
        looks += 1;
        looked.resolve();
        await joined.promise;
        return outcome;
      },
    },
  });
  const join = () => db.tx(async (tx) => members.joined(tx, (await findPartner(tx, 'p'))!));
  await join();
  await looked.promise;
  await db.query(`UPDATE partners SET state = 'registered' WHERE partner_id = 'p'`);
  await join();
  joined.resolve();
  await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(2);
  expect(await openDue(db, 'watch p')).toHaveLength(1);
  await worker.stop();
  await db.close();
  await drop();
});

test('HUB-18: a hub has no more parties behind it by listing others each time; whom it lists again is there', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('h', 'Hub', 'registered', 'https://hub.example/versions')`);
  await db.query(
    `INSERT INTO client_infos (country_code, party_id, role, partner_id, behind, status, last_updated)
      SELECT 'CA', 'P' || n, 'EMSP', 'h', true, 'SUSPENDED', '2022-02-01T17:00:00Z' FROM generate_series(1, $1::int) n`, [BEHIND_AT_MOST - 1],
  );
  const listed = ['N1', 'N2', 'P7'].map((party_id) => ({ country_code: 'CA', party_id, role: 'EMSP' as const, business_details: { name: party_id } }));
  await db.tx((tx) => keepListed(tx, 'h', listed, { all: false, now: Date.now() }));
  const behind = await clientsOf(db, 'h');
  expect([behind.length, behind.flatMap(({ info }) => (info.status === 'CONNECTED' ? [info.party_id] : [])).sort()]).toEqual([BEHIND_AT_MOST, ['N1', 'P7']]);
  await db.close();
  await drop();
});
