import { afterAll, beforeAll, expect, test } from 'vitest';
import { agreementOf, setAgreement } from '#contracts/agreements';
import { locationChanged } from '#contracts/locations';
import { told } from '#bus';
import { toJsonBytes } from '#contracts';
import { exampleLocation, type Location } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { exampleTerms, localMonth } from '#settlement';
import { zone } from '#time';
import { registeredPartners } from '../src/partners/partner-rows.ts';
import { lockLinks } from '../src/pushes/pushed-rows.ts';
import { queueAll, queuedOf } from '../src/pushes/queue-rows.ts';
import { HandPartner } from './hand-partner.ts';
import { openSide, type Side } from './side.ts';

let oasis: Side;
let plunk: HandPartner;
let montreal: HandPartner;
let db: Database;

beforeAll(async () => {
  oasis = await openSide({});
  db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  plunk = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', ['RECEIVER locations']);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations']);
  await plunk.register(oasis);
  await montreal.register(oasis);
});
afterAll(async () => {
  await plunk?.close();
  await montreal?.close();
  await db?.close();
  await oasis?.close();
});

const location = (id: string, at: number): Location => {
  const last_updated = new Date(at).toISOString();
  return { ...exampleLocation, id, evses: [{ ...exampleLocation.evses![0]!, last_updated }], last_updated };
};
const tell = (one: Location) => oasis.neighbours.tell(told(locationChanged, {
  own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: one.id, locationJson: toJsonBytes(one), lastUpdated: one.last_updated, private: false,
}));
const blocked = async () =>
  (await db.query('SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()')).rowCount;
const rows = async (partnerId: string) => Object.fromEntries((await db.query<{ id: string; shared: boolean }>(
  `SELECT object_key AS id, shared FROM pushed WHERE partner_id = $1 AND module = 'locations'`, [partnerId],
)).rows.map(({ id, shared }) => [id, shared]));

test('LOC-07 a Location that changes for others just when it is hidden from a partner is hidden from it', async () => {
  const partners = await registeredPartners(db);
  const [cpk, mtl] = ['Carbon Plunk', 'Montreal'].map((name) => partners.find((one) => one.name === name)!.id) as [string, string];
  await tell(location('HOMES', Date.now()));
  await expect.poll(() => plunk.pushed('PUT')).toHaveLength(1);
  // It is never sent this one, and asks to be left alone.
  plunk.answer = () => ({ http: 429, headers: { 'Retry-After': '3000' } });
  await tell(location('STALLS', Date.now()));
  await expect.poll(async () => (await db.query(`SELECT FROM push_lanes WHERE lane = $1 AND failures > 0`, [cpk])).rowCount).toBe(1);
  // When that is listed all is looked through again: not yet.
  let list = () => {};
  oasis.neighbours.listed = (pages) => new Promise((resolve) => (list = () => resolve(pages)));
  let others: Promise<void> | undefined;
  await db.tx(async (tx) => {
    await tx.query(`SELECT FROM pushed WHERE partner_id = $1 AND object_key = 'STALLS' FOR UPDATE`, [cpk]);
    await oasis.neighbours.bus.ask(setAgreement, {
      partner: { countryCode: 'CA', partyId: 'CPK' },
      agreement: agreementOf({ ...exampleTerms, valid_from: localMonth(Date.now(), zone(exampleTerms.time_zone)), grants: { tariffs: [], locations: ['NONE'] } }),
    });
    await expect.poll(blocked).toBe(1);
    const news = queuedOf({ module: 'locations', objectKey: 'HOMES', current: JSON.stringify(location('HOMES', Date.now() + 60_000)) });
    others = db.tx(async (other) => {
      await lockLinks(other, 'together');
      await queueAll(other, { shared: [{ partnerIds: [mtl], objects: [news] }] }, Date.now());
    });
    await Promise.race([others, expect.poll(blocked).toBe(2)]);
  });
  await others;
  await expect.poll(async () => (await rows(cpk)).STALLS).toBeUndefined();
  expect(await rows(cpk)).toEqual({ HOMES: false });
  oasis.neighbours.listed = async (pages) => pages;
  list();
});
