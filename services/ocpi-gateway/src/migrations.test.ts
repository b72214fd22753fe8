import { expect, test } from 'vitest';
import { openDue } from '#due';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { findPartner } from './partners/partner-rows.ts';
import { takeBatch } from './pushes/lane-rows.ts';
import { migrations } from './migrations.ts';
import { claimCdrs } from './pushes/pushed-rows.ts';
import { queueAll, queuedOf } from './pushes/queue-rows.ts';
import { LocationTexts } from './pushes/text-rows.ts';

const hold = { isHeld: () => true, insist: () => {} };

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
    const batch = await takeBatch(db, new LocationTexts(db), { lane, partnerId: 'p', hold }, { now: Date.now(), most: 10 });
    seen.push(batch!.waiting.map(({ key }) => `${key.module} ${key.objectKey}`).sort());
  }
  expect(seen).toEqual([['locations L', 'tariffs GONE'], ['cdrs C'], ['chargingprofiles Sess'], ['sessions S']]);
  expect(await findPartner(db, 'p')).toMatchObject({ name: 'Montreal' });
  await db.close();
  await drop();
});

test('what partners had acknowledged before lanes had positions is known, and what is not known goes as a whole', async () => {
  const { url, drop } = await freshDatabase();
  const schema = 'ocpi_gateway';
  const at = migrations.findIndex(({ name }) => name === 'ocpi-gateway-told-positions');
  const before = await openDatabase({ url, schema, migrations: migrations.slice(0, at) });
  await before.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('p', 'Montreal', 'registered', '')`);
  await before.query(`INSERT INTO push_lanes (lane, partner_id) VALUES ('p', 'p')`);
  const text = (id: string, status: string) => JSON.stringify({ id, status, last_updated: '2022-02-01T17:00:00Z' });
  for (const [n, id] of ['HAS-IT', 'HAS-THE-ONE-BEFORE', 'WAS-NEVER-ASKED'].entries()) {
    const [old, now] = [2 * n + 1, 2 * n + 2];
    await before.query('INSERT INTO location_texts (version, current) VALUES ($1, $3), ($2, $4)', [old, now, text(id, 'OLD'), text(id, 'NOW')]);
    await before.query('INSERT INTO old_versions (version) VALUES ($1)', [old]);
    await before.query('INSERT INTO shared_locations (object_key, version, updated_ms) VALUES ($1, $2, 0)', [id, now]);
    const [acknowledged, queued] = [[now, false], [old, true], [old, false]][n]!;
    await before.query(
      `INSERT INTO pushed (partner_id, module, object_key, shared, lane, queued, acknowledged_version) VALUES ('p', 'locations', $1, true, 'p', $2, $3)`,
      [id, queued, acknowledged],
    );
  }
  await before.query(`SELECT nextval('location_version') FROM generate_series(1, 6)`);
  await before.close();

  const db = await openDatabase({ url, schema, migrations });
  const texts = new LocationTexts(db);
  const take = async () =>
    (await takeBatch(db, texts, { lane: 'p', partnerId: 'p', hold }, { now: Date.now(), most: 10 }))!.waiting.map((one) => [
      one.key.objectKey, one.current, one.unclear ? 'unclear' : one.acknowledged,
    ]);
  const waited = ['HAS-THE-ONE-BEFORE', text('HAS-THE-ONE-BEFORE', 'NOW'), text('HAS-THE-ONE-BEFORE', 'OLD')];
  expect(await take()).toEqual([waited]);
  await db.query('UPDATE push_lanes SET sending = NULL');

  const changed = ['HAS-IT', 'WAS-NEVER-ASKED'].map((objectKey) => queuedOf({ module: 'locations', objectKey, current: text(objectKey, 'NEXT') }));
  await db.tx((tx) => queueAll(tx, { shared: [{ partnerIds: ['p'], objects: changed }] }, Date.now()));
  const then = await take();
  expect(then).toHaveLength(3);
  expect(then).toEqual(expect.arrayContaining([
    waited,
    ['HAS-IT', text('HAS-IT', 'NEXT'), text('HAS-IT', 'NOW')],
    ['WAS-NEVER-ASKED', text('WAS-NEVER-ASKED', 'NEXT'), 'unclear'],
  ]));
  await db.close();
  await drop();
});

test('an upgrade lets what an operator wants pass a pull that waits for its next time, and gives a link without one its turns', async () => {
  const { url, drop } = await freshDatabase();
  const schema = 'ocpi_gateway';
  const at = migrations.findIndex(({ name }) => name === 'ocpi-gateway-pull-turns');
  const before = await openDatabase({ url, schema, migrations: migrations.slice(0, at) });
  for (const [id, state] of [['waits', 'registered'], ['none', 'registered'], ['has', 'registered'], ['ended', 'ended']])
    await before.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, $2, '')`, [id, state]);
  const pull = (id: string, partnerId: string, kind: string, due: number) =>
    before.query('SELECT due_add($1, $2, $3, $4, $5, NULL)', [id, `pull ${partnerId}`, kind, JSON.stringify({ partnerId }), due]);
  await pull('pull waits 1', 'waits', 'pull', 1_000);
  await before.query(`UPDATE due SET attempts = 1, retry_at = 9000`);
  await before.query(`UPDATE due_lane SET wake_at = 9000`);
  await pull('pull once waits', 'waits', 'pull-once', 2_000);
  await before.query(`UPDATE due_lane SET wake_at = 9000`);
  await pull('pull has turn 7', 'has', 'pull', 5_000);
  await before.close();
  const db = await openDatabase({ url, schema, migrations });
  expect(await openDue(db, 'pull waits')).toMatchObject([{ id: 'pull once waits', at: 2_000 }, { id: 'pull waits 1', at: 9_000 }]);
  expect(await openDue(db, 'pull none')).toMatchObject([{ kind: 'pull', at: 0, body: { partnerId: 'none' } }]);
  expect(await openDue(db, 'pull has')).toMatchObject([{ id: 'pull has turn 7', at: 5_000 }]);
  expect(await openDue(db, 'pull ended')).toEqual([]);
  const { rows } = await db.query('SELECT key, wake_at::int AS wake FROM due_lane WHERE key LIKE $1 ORDER BY key', ['pull %']);
  expect(rows).toEqual([{ key: 'pull has', wake: 5_000 }, { key: 'pull none', wake: 0 }, { key: 'pull waits', wake: 2_000 }]);
  await db.close();
  await drop();
});

test('CDRs that waited for their tokens\' owners before an upgrade are claimed by who is reached, and no others', async () => {
  const { url, drop } = await freshDatabase();
  const schema = 'ocpi_gateway';
  const at = migrations.findIndex(({ name }) => name === 'ocpi-gateway-unclaimed-owners');
  const before = await openDatabase({ url, schema, migrations: migrations.slice(0, at) });
  for (const [id, country_code, party_id] of [['C-1', 'ca', 'mtl'], ['C-2', 'CA', 'QBC'], ['C-3', 'CA', 'MTL']]) {
    const cdr = { id, cdr_token: { country_code, party_id }, last_updated: '2022-02-01T17:00:00Z' };
    await before.query('INSERT INTO unclaimed_cdrs (cdr_id, current) VALUES ($1, $2)', [id, JSON.stringify(cdr)]);
  }
  await before.close();
  const db = await openDatabase({ url, schema, migrations });
  const claimed = await db.tx((tx) => claimCdrs(tx, ['CA*MTL', 'CA*ELS'], () => 'p'));
  expect(claimed.map(({ cdrId, partnerId }) => [cdrId, partnerId])).toEqual([['C-1', 'p'], ['C-3', 'p']]);
  expect((await db.query('SELECT cdr_id FROM unclaimed_cdrs')).rows).toEqual([{ cdr_id: 'C-2' }]);
  await db.close();
  await drop();
});
