import { expect, test } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../migrations.ts';
import { queueAll, queuedOf } from './queue-rows.ts';
import { LocationTexts, sweepTexts } from './text-rows.ts';

test('a Location that partners see alike is kept once for all, and as it was as long as one of them has it so', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  for (const id of ['up', 'down'])
    await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, 'registered', '')`, [
      id,
    ]);
  const textOf = (second: number) => JSON.stringify({ id: 'L', last_updated: `2022-02-01T17:00:0${second}Z` });
  const told = (second: number) => db.tx((tx) => queueAll(tx, {
    shared: [{ partnerIds: ['up', 'down'], objects: [queuedOf({ module: 'locations', objectKey: 'L', current: textOf(second) })] }],
  }, 0));
  const versions = async () =>
    (await db.query<{ version: bigint }>('SELECT version FROM location_texts ORDER BY version')).rows.map(
      ({ version }) => version,
    );
  const sweepOld = async () => {
    await db.query(`UPDATE old_versions SET since = since - interval '1 hour'`);
    await sweepTexts(db);
  };
  const acknowledges = async (partner: string) => {
    await db.query(
      `UPDATE pushed SET acknowledged_version = (SELECT version FROM shared_locations), queued = false WHERE partner_id = $1`,
      [partner],
    );
    await db.query(`UPDATE push_lanes SET told = (SELECT version FROM shared_locations) WHERE lane = $1`, [partner]);
  };
  await told(1);
  for (const partner of ['up', 'down']) await acknowledges(partner);
  for (const second of [2, 3, 1]) await told(second);
  const [first, second, third, ...more] = await versions();
  expect(more).toEqual([]);
  await sweepTexts(db);
  expect(await versions(), 'just replaced, it is kept for who reads it').toEqual([first, second, third]);
  await sweepOld();
  expect(await versions()).toEqual([first, third]);
  const texts = new LocationTexts(db);
  expect([...await texts.of([first!, second!, third!])]).toEqual([[first, textOf(1)], [third, textOf(3)]]);
  await acknowledges('up');
  await told(4);
  await sweepOld();
  const [, , fourth] = await versions();
  expect(await versions(), 'one partner had the first, by its position and its row, and the other the third').toEqual([
    first,
    third,
    fourth,
  ]);
  await db.query(`UPDATE push_lanes SET told = $1, sending = '{"locations L"}' WHERE lane = 'up'`, [first]);
  await db.query('UPDATE pushed SET acknowledged_version = NULL');
  await sweepOld();
  expect(await versions(), 'one that is being sent what it changed to since').toEqual([first, third, fourth]);
  for (const partner of ['up', 'down']) await acknowledges(partner);
  await db.query('UPDATE push_lanes SET sending = NULL');
  await sweepOld();
  expect(await versions()).toEqual([fourth]);
  await db.close();
  await drop();
});

test('what a partner has by its position stays where what replaced it went before', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('p', 'p', 'registered', '')`);
  const change = (objectKey: string, second: number) => db.tx((tx) => queueAll(tx, {
    shared: [{ partnerIds: ['p'], objects: [queuedOf({ module: 'locations', objectKey, current: JSON.stringify({ last_updated: `2022-02-01T17:00:0${second}Z` }) })] }],
  }, 0));
  const standsAt = (version: number) => db.query(`UPDATE push_lanes SET told = (SELECT min(version) FROM location_texts) + $1`, [version - 1]);
  const sweep = async () => {
    await db.query(`UPDATE old_versions SET since = since - interval '1 hour'`);
    await sweepTexts(db);
  };
  await change('L', 1);
  await standsAt(1);
  await change('L', 2);
  await change('M', 3);
  await change('L', 4);
  await sweep();
  // It was told of M alone: what is there of L behind its position is newer.
  await standsAt(3);
  await sweep();
  expect((await db.query<{ n: bigint }>(`SELECT count(*) AS n FROM location_texts WHERE object_key = 'L'`)).rows).toEqual([{ n: 2n }]);
  await db.close();
  await drop();
});
