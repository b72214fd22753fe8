import { expect, test } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../migrations.ts';
import { queueAll, queuedOf } from './queue-rows.ts';
import { LocationTexts, sweepTexts } from './text-rows.ts';

test('a Location that partners see alike is kept once for all, and as it was as long as one of them has it so', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  for (const id of ['up', 'down']) await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, 'registered', '')`, [id]);
  const textOf = (second: number) => JSON.stringify({ id: 'L', last_updated: `2022-02-01T17:00:0${second}Z` });
  const told = (second: number) => db.tx((tx) => queueAll(tx, {
    shared: [{ partnerIds: ['up', 'down'], objects: [queuedOf({ module: 'locations', objectKey: 'L', current: textOf(second) })] }],
  }, 0));
  const versions = async () => (await db.query<{ version: bigint }>('SELECT version FROM location_texts ORDER BY version')).rows.map(({ version }) => version);
  const sweepOld = async () => {
    await db.query(`UPDATE old_versions SET since = since - interval '1 hour'`);
    await sweepTexts(db);
  };
  await told(1);
  await db.query(`UPDATE pushed SET acknowledged_version = (SELECT version FROM shared_locations) WHERE partner_id = 'down'`);
  for (const second of [2, 3, 1]) await told(second);
  const [first, second, third, ...more] = await versions();
  expect(more).toEqual([]);
  await sweepTexts(db);
  expect(await versions(), 'just replaced, it is kept for who reads it').toEqual([first, second, third]);
  await sweepOld();
  expect(await versions()).toEqual([first, third]);
  const texts = new LocationTexts(db);
  expect([...await texts.of([first!, second!, third!])]).toEqual([[first, textOf(1)], [third, textOf(3)]]);
  await db.query('UPDATE pushed SET acknowledged_version = $1', [third]);
  await sweepOld();
  expect(await versions()).toEqual([third]);
  await db.close();
  await drop();
});
