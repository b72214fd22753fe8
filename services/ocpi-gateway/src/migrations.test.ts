import { expect, test } from 'vitest';
import { openDue } from '#due';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { findPartner } from './partners/partner-rows.ts';
import { takeBatch } from './pushes/lane-rows.ts';
import { migrations } from './migrations.ts';
import { LocationTexts } from './pushes/text-rows.ts';

test('what waited for partners before there were lanes goes on in its lane', async () => {
  const { url, drop } = await freshDatabase();
  const schema = 'ocpi_gateway';
  const at = migrations.findIndex(({ name }) => name === 'ocpi-gateway-push-lanes');
  const before = await openDatabase({ url, schema, migrations: migrations.slice(0, at).filter(({ name }) => name !== 'due-3-rouse') });
  await before.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('p', 'Montreal', 'registered', '')`);
  const rows = [
    ['locations', 'L', '{"id":"L"}'], ['sessions', 'S', '{"cdr_token":{"country_code":"ca","party_id":"mtl"}}'],
    ['cdrs', 'C', '{"cdr_token":{"country_code":"CA","party_id":"MTL"}}'], ['chargingprofiles', 'Sess', '{}'], ['tariffs', 'GONE', null],
  ];
  for (const [module, key, current] of rows) {
    await before.query(
      'INSERT INTO pushed (partner_id, module, object_key, current, queued) VALUES ($1, $2, $3, $4, true)',
      ['p', module, key, current],
    );
    await before.query(`INSERT INTO due (id, key, kind, body, at) VALUES ($1, 'p', $2, '{}', 0)`, [
      `${module} ${key}`,
      module === 'cdrs' ? 'push-cdr' : 'push',
    ]);
  }
  await before.close();
  const db = await openDatabase({ url, schema, migrations });
  const lanes = ['p', 'p cdrs CA*MTL', 'p profile sess', 'p sessions CA*MTL'];
  const seen: string[][] = [];
  for (const lane of lanes) {
    expect(await openDue(db, lane)).toMatchObject([{ id: `push ${lane}`, kind: 'push', body: { lane, partnerId: 'p' } }]);
    const batch = await takeBatch(db, new LocationTexts(db), { lane, partnerId: 'p' }, { now: Date.now(), most: 10 });
    seen.push(batch!.waiting.map(({ key }) => `${key.module} ${key.objectKey}`).sort());
  }
  expect(seen).toEqual([['locations L', 'tariffs GONE'], ['cdrs C'], ['chargingprofiles Sess'], ['sessions S']]);
  expect(await findPartner(db, 'p')).toMatchObject({ name: 'Montreal' });
  await db.close();
  await drop();
});
