import { expect, test } from 'vitest';
import { openDue, workDue } from '#due';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { systemClock } from '#time';
import { migrations } from '../migrations.ts';
import { findPartner } from '../partners/partner-rows.ts';
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
