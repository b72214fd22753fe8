import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { told } from '#bus';
import { locationChanged } from '#contracts/locations';
import { toJsonBytes } from '#contracts';
import { exampleLocation } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { openSide, type Side } from './side.ts';

let oasis: Side | undefined;
let partner: HandPartner | undefined;
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await partner?.close();
  await oasis?.close();
});

test('what waits for a partner as the clock is set back by an hour is sent within moments, and not an hour later', async () => {
  const realNow = Date.now;
  const wrong = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 3_600_000);
  oasis = await openSide({});
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations']);
  await partner.register(oasis);
  // An object that it fails over goes behind the others, at a time by our clock.
  partner.answer = (what) => (what.includes('/FAILS') ? { http: 404, status: 2003 } : {});
  const tell = (id: string) => oasis!.neighbours.tell(told(locationChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: id, locationJson: toJsonBytes({ ...exampleLocation, id }), lastUpdated: exampleLocation.last_updated,
  }));
  const puts = (id: string) => partner!.pushed('PUT').filter((what) => what.endsWith(`/${id}`)).length;
  await tell('FAILS');
  // It was put behind the others at least once, and by that clock.
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const refusals = 'SELECT refusals FROM pushed WHERE refusals > 0';
  await expect.poll(async () => (await db.query(refusals)).rows.length, { timeout: 30_000 }).toBe(1);
  await db.close();
  wrong.mockRestore();
  partner.answer = () => ({});
  const before = puts('FAILS');
  await expect.poll(() => puts('FAILS'), { timeout: 30_000 }).toBeGreaterThan(before);
  // By the clock as it is now, too.
  await tell('LATER');
  await expect.poll(() => puts('LATER'), { timeout: 30_000 }).toBe(1);
}, 120_000);
