import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Granted } from '#grants';
import { exampleLocation } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { instant } from '#time';
import type { Partner } from '../partners/partner.ts';
import { queueViews } from '../partners/partner-views.ts';
import { migrations } from '../migrations.ts';
import { settleAcknowledged, takeBatch } from './lane-rows.ts';
import { LocationTexts } from './text-rows.ts';

const hold = { isHeld: () => true, insist: () => {} };
const [plunk, montreal] = [{ country_code: 'CA', party_id: 'CPK' }, { country_code: 'CA', party_id: 'MTL' }];
const partners = Object.entries({ plunk, montreal }).map(([id, party]) => ({ id, roles: [{ ...party, role: 'EMSP' }], behind: [] }) as unknown as Partner);
const since = instant('2022-02-10T08:00:00Z');
const all: Granted = { offers: [], places: [], since: 0, until: undefined };
const forPlunk = (...ids: string[]): Granted => ({ ...all, places: [{ own: 'CA*BCT', to: plunk!, spans: [{ since: 0, ids: [] }, { since, ids }] }], since });
const [evse] = exampleLocation.evses!;

let db: Database;
let texts: LocationTexts;
let drop: () => Promise<void>;

beforeEach(async () => {
  const fresh = await freshDatabase();
  drop = fresh.drop;
  db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations });
  texts = new LocationTexts(db);
  for (const { id } of partners) await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, 'registered', '')`, [id]);
});
afterEach(async () => {
  await db.close();
  await drop();
});

function told(evses: typeof exampleLocation.evses, last_updated: string, granted: Granted): Promise<void> {
  const current = JSON.stringify({ ...exampleLocation, country_code: 'CA', party_id: 'BCT', id: 'L', evses, last_updated });
  return db.tx((tx) => queueViews(tx, [{ partners, objects: [{ module: 'locations', objectKey: 'L', current }] }], { at: 0, granted }));
}

/** Whether there is an EVSE to charge at in what the partner is told. */
async function heard(partnerId: string): Promise<boolean[]> {
  const batch = await takeBatch(db, texts, { lane: partnerId, partnerId, hold }, { now: 1, most: 64 });
  if (batch) await settleAcknowledged(db, batch.taken, undefined, batch.waiting.map((held) => ({ held })), 1);
  return (batch?.waiting ?? []).map(({ current }) => current!.includes('"AVAILABLE"'));
}

test.each([
  ['has no EVSE yet', []],
  ['was taken down', [{ ...evse!, status: 'REMOVED' as const }]],
])('LOC-03 a Location that %s as it is hidden from a partner stays hidden from it when it has EVSEs', async (_, evses) => {
  await told([evse!], '2022-02-01T08:00:00Z', all);
  for (const { id } of partners) expect(await heard(id)).toEqual([true]);
  await told(evses, '2022-02-02T08:00:00Z', all);
  for (const { id } of partners) expect(await heard(id)).toEqual([false]);
  await told(evses, '2022-02-02T08:00:00Z', forPlunk());
  await heard('plunk');
  await told([evse!], '2022-02-11T08:00:00Z', forPlunk());
  expect({ plunk: await heard('plunk'), montreal: await heard('montreal') }).toEqual({ plunk: [], montreal: [true] });
});

test('LOC-03 a Location without an EVSE that is hidden from a partner before it goes out does not go out', async () => {
  await told([], '2022-02-01T08:00:00Z', forPlunk('L'));
  await told([], '2022-02-01T08:00:00Z', forPlunk());
  expect({ plunk: await heard('plunk'), montreal: await heard('montreal') }).toEqual({ plunk: [], montreal: [false] });
});
