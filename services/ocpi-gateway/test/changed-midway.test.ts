import { afterEach, beforeEach, expect, test } from 'vitest';
import { told } from '#bus';
import { evseStatusChanged } from '#contracts/locations';
import { toJsonBytes } from '#contracts';
import { exampleLocation } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { registeredPartners, storePartner } from '../src/partners/partner-rows.ts';
import { forgetAcknowledged, lockLinks } from '../src/pushes/pushed-rows.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// A partner goes to another version of OCPI while it is being told something in the one before.

let oasis: Side;
let partner: HandPartner;
let db: Database;

beforeEach(async () => {
  oasis = await openSide({});
  db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations']);
  partner.version = '2.1.1';
  await partner.register(oasis);
  await status('AVAILABLE', 1);
  await idle();
  partner.seen.length = 0;
});
afterEach(async () => {
  partner.hangUp();
  await partner.close();
  await db.close();
  await oasis.close();
});

const place = '/locations/CA/BCT/LOC1';
const status = (now: 'CHARGING' | 'AVAILABLE', second: number) => {
  const last_updated = `2022-02-01T17:00:0${second}Z`;
  const evses = exampleLocation.evses!.map((evse, n) => (n === 0 ? { ...evse, status: now, last_updated } : evse));
  const location = { ...exampleLocation, id: 'LOC1', evses, last_updated };
  oasis.neighbours.own.locations = [location];
  return oasis.neighbours.tell(told(evseStatusChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: 'LOC1', evseUid: evses[0]!.uid, status: now, lastUpdated: last_updated,
    locationJson: toJsonBytes(location),
  }));
};
/** All is told, and noted. */
const idle = () => expect.poll(async () => (await db.query(
  `SELECT FROM push_lanes l WHERE lane = partner_id AND sending IS NULL AND told = (SELECT max(version) FROM shared_locations)
    AND NOT EXISTS (SELECT FROM pushed WHERE queued)`,
)).rowCount).toBe(1);

test('2.1.1 LOC-02 what was acknowledged in the version before, while the link went to another, is said whole in that one', async () => {
  let answer = () => {};
  partner.answer = (what) => (what.startsWith('PATCH') ? new Promise((resolve) => (answer = () => resolve({}))) : {});
  await status('CHARGING', 2);
  await expect.poll(() => partner.pushed('PATCH')).toHaveLength(1);
  Object.assign(partner, { version: '2.2.1', given: 'another-token', endpointEnd: '/2.2.1' });
  const renewed = await call(oasis, '/ocpi/2.2.1/credentials', { token: partner.token, method: 'PUT', body: partner.credentials() });
  expect(renewed).toMatchObject({ http: 200, status_code: 1000 });
  answer();
  await expect.poll(() => partner.pushed('PUT')).toEqual(['PUT /locations/2.2.1/CA/BCT/LOC1']);
  await idle();
});

test('2.1.1 LOC-02 nothing is said in the version before once the link went to another', async () => {
  // Who sends has read the partner, and waits for the lane.
  await db.tx(async (tx) => {
    await lockLinks(tx, 'together');
    const [before] = await registeredPartners(tx);
    await forgetAcknowledged(tx, before!.id, Date.now());
    await storePartner(tx, { ...before!, endpoints: before!.endpoints.map((one) => ({ ...one, url: `${one.url}/new` })) });
    await status('CHARGING', 2);
    const blocked = 'SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()';
    await expect.poll(async () => (await db.query(blocked)).rowCount).toBe(1);
  });
  await expect.poll(() => partner.pushed('P')).toEqual([`PUT ${place.replace('/locations', '/locations/new')}`]);
  await idle();
});
