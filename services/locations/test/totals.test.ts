import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { exampleLocation } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { findLocation, listOwnLocations, type OwnList, storeLocations } from '../src/location-rows.ts';
import { migrations } from '../src/migrations.ts';

let fresh: FreshDatabase;
let db: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: 'locations', migrations });
});
beforeEach(() => db.query('DELETE FROM evses; DELETE FROM locations'));
afterAll(async () => {
  await db?.close();
  await fresh?.drop();
});

const owners = ['BCT', 'RVB'].map((party_id) => ({ country_code: 'CA', party_id }));
const lists: readonly OwnList[] = [undefined, ...owners].flatMap((owner) => [true, false].flatMap((withPrivate) =>
  [[], [{ owner: owners[0]!, ids: ['l1*'] }]].map((granted) => ({ owner, withPrivate, granted }))));

interface Stored {
  readonly id: string;
  readonly party: number;
  readonly own: boolean;
  readonly isPrivate: boolean;
}

async function store({ id, party, own, isPrivate }: Stored): Promise<void> {
  const { country_code, party_id } = owners[party]!;
  const before = await findLocation(db, { countryCode: country_code, partyId: party_id, locationId: id });
  const location = { ...exampleLocation, country_code, party_id, id };
  const now = { own, isPrivate, location, text: JSON.stringify(location) };
  await db.tx((tx) => storeLocations(tx, [{ before: before?.location, now }]));
}

const stored = fc.record({
  id: fc.constantFrom('L1', 'L11', 'L2'), party: fc.nat(1), own: fc.boolean(), isPrivate: fc.boolean(),
});
const step = fc.oneof(
  stored.map((one) => ({ what: () => store(one) })),
  fc.constantFrom('l1', 'l2').map((id) => ({ what: () => db.query('DELETE FROM locations WHERE location_id = $1', [id]) })),
);

test('TRN-52 the total of each list is how many it holds, whatever came, went or turned private since it was counted last', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
    for (const { what } of steps) {
      await what();
      for (const list of lists) {
        const { rows, total } = await listOwnLocations(db, list, { offset: 0, limit: 10 });
        expect(total).toBe(rows.length);
      }
    }
  }), { numRuns: 12 });
});

test('a status does not have our Locations counted again', async () => {
  const one = { id: 'L1', party: 0, own: true, isPrivate: false };
  const version = async () => (await db.query('SELECT version FROM own_membership')).rows[0];
  await store(one);
  const before = await version();
  await store(one);
  await store({ ...one, id: 'L2', own: false });
  expect(await version()).toEqual(before);
  await store({ ...one, isPrivate: true });
  expect(await version()).not.toEqual(before);
});
