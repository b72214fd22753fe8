import { afterAll, beforeAll, expect, test } from 'vitest';
import { agreementOf, setAgreement } from '#contracts/agreements';
import { locationChanged } from '#contracts/locations';
import { sessionStarted } from '#contracts/sessions';
import { tariffPublished } from '#contracts/tariff-engine';
import { told } from '#bus';
import { toJsonBytes } from '#contracts';
import { exampleLocation, exampleSession, exampleTariff, type Location } from '#ocpi';
import { openDatabase } from '#postgres';
import { exampleTerms, type Grants, localMonth, nextMonth } from '#settlement';
import { zone } from '#time';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// Tariffs that our agreement with one partner grants: pushed to it alone, and named to it alone.

const bct = { countryCode: 'CA', partyId: 'BCT' };
let oasis: Side;
let plunk: HandPartner;
let montreal: HandPartner;

const at = '2022-02-01T17:00:00Z';
const published = (id: string) => told(tariffPublished, {
  own: true, party: bct, tariffId: id, version: 1, lastUpdated: at,
  tariffJson: toJsonBytes({ ...exampleTariff, id, last_updated: at }),
});
const evses = exampleLocation.evses!.slice(0, 1).map((evse) => ({
  ...evse, last_updated: at, connectors: evse.connectors.map((one) => ({ ...one, tariff_ids: ['L2', 'PLUNK'], last_updated: at })),
}));
const location: Location = { ...exampleLocation, id: 'ONE', evses, last_updated: at };
const located = () => told(locationChanged, {
  own: true, party: bct, locationId: 'ONE', locationJson: toJsonBytes(location), lastUpdated: at,
});

/** The month that it is. */
const month = () => localMonth(Date.now(), zone(exampleTerms.time_zone));
const grant = (tariffs: string[], valid_from = month()) => oasis.neighbours.bus.ask(setAgreement, {
  partner: { countryCode: 'CA', partyId: 'CPK' },
  agreement: agreementOf({ ...exampleTerms, valid_from, grants: { tariffs } }),
});

/** What the Connector names, by the last push of its Location or EVSE. */
const named = ({ seen }: HandPartner) => namedIn(seen.findLast(({ what }) => what.includes(' /locations/CA/BCT/ONE'))?.body);
const namedIn = (body: unknown) => /"tariff_ids":\[[^\]]*\]/.exec(JSON.stringify(body) ?? '')?.[0].slice('"tariff_ids":'.length);

beforeAll(async () => {
  oasis = await openSide({});
  oasis.neighbours.own.locations.push(location);
  oasis.neighbours.own.tariffs.push(...['L2', 'PLUNK'].map((id) => ({ ...exampleTariff, id, last_updated: at })));
  plunk = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', ['RECEIVER locations', 'RECEIVER tariffs']);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations', 'RECEIVER tariffs']);
});
afterAll(async () => {
  await Promise.all([plunk?.close(), montreal?.close()]);
  await oasis?.close();
});

test('without an agreement on tariffs everybody gets all of them', async () => {
  await Promise.all([plunk.register(oasis), montreal.register(oasis)]);
  await oasis.neighbours.tell(published('L2'), published('PLUNK'), located());
  for (const partner of [plunk, montreal]) await expect.poll(() => named(partner)).toBe('["L2","PLUNK"]');
});

test('TAR-01 a tariff that is granted goes from the Connectors of the others, and then from them', async () => {
  plunk.seen.length = montreal.seen.length = 0;
  oasis.neighbours.onlyFor['PLUNK'] = ['CPK'];
  await grant(['plunk']);
  await expect.poll(() => montreal.pushed()).toEqual([`PUT /locations/CA/BCT/ONE/${evses[0]!.uid}`, 'DELETE /tariffs/CA/BCT/PLUNK']);
  expect(named(montreal)).toBe('["L2"]');
  await expect.poll(() => plunk.pushed()).toEqual([`PUT /locations/CA/BCT/ONE/${evses[0]!.uid}`]);
  expect(named(plunk)).toBe('["PLUNK"]');
});

test('what is pulled says the same as what is pushed', async () => {
  const pulled = async ({ token }: HandPartner, path: string) => call(oasis, `/ocpi/2.2.1/sender/${path}`, { token });
  const ids = async (partner: HandPartner) => ((await pulled(partner, 'tariffs')).data as { id: string }[]).map(({ id }) => id);
  expect([await ids(plunk), await ids(montreal)]).toEqual([['L2', 'PLUNK'], ['L2']]);
  expect((await pulled(montreal, 'tariffs')).headers.get('x-total-count')).toBe('1');
  for (const path of ['locations', 'locations/ONE', `locations/ONE/${evses[0]!.uid}`, `locations/ONE/${evses[0]!.uid}/1`]) {
    expect(namedIn((await pulled(montreal, path)).data)).toBe('["L2"]');
    expect(namedIn((await pulled(plunk, path)).data)).toBe('["PLUNK"]');
  }
});

test('TRN-51: what a grant changes of a Location is found by its date, and by none before it', async () => {
  const pulled = async (from: string) => (await call(oasis, `/ocpi/2.2.1/sender/locations?date_from=${from}`, { token: montreal.token })).data as Location[];
  const [{ last_updated } = location] = await pulled('2022-02-02T00:00:00Z');
  expect(Date.parse(last_updated)).toBeGreaterThan(Date.parse(at));
  expect(await pulled(last_updated)).toHaveLength(1);
  expect(await pulled(new Date(Date.parse(last_updated) + 1).toISOString())).toEqual([]);
});

test('a new version of it, and a Location told again, go to each as it is offered', async () => {
  plunk.seen.length = montreal.seen.length = 0;
  const later = new Date().toISOString();
  oasis.neighbours.own.locations[0] = { ...location, name: 'One', last_updated: later };
  await oasis.neighbours.tell(
    told(tariffPublished, {
      own: true, party: bct, tariffId: 'PLUNK', version: 2, lastUpdated: later,
      tariffJson: toJsonBytes({ ...exampleTariff, id: 'PLUNK', last_updated: later }),
    }),
    told(locationChanged, {
      own: true, party: bct, locationId: 'ONE', lastUpdated: later,
      locationJson: toJsonBytes({ ...location, name: 'One', last_updated: later }),
    }),
  );
  // It has both: told at the same time, either may go first.
  await expect.poll(() => plunk.pushed().toSorted()).toEqual(['PATCH /locations/CA/BCT/ONE', 'PUT /tariffs/CA/BCT/PLUNK']);
  await expect.poll(() => montreal.pushed()).toEqual(['PATCH /locations/CA/BCT/ONE']);
});

test('a grant of a later month changes nothing yet, and one that ends makes nothing public', async () => {
  plunk.seen.length = montreal.seen.length = 0;
  await grant(['L2'], nextMonth(month()));
  oasis.neighbours.onlyFor['PLUNK'] = [];
  await grant([]);
  await expect.poll(() => plunk.pushed()).toEqual([`PUT /locations/CA/BCT/ONE/${evses[0]!.uid}`, 'DELETE /tariffs/CA/BCT/PLUNK']);
  expect(named(plunk)).toBe('["L2"]');
  expect(montreal.pushed()).not.toContain('PUT /tariffs/CA/BCT/PLUNK');
  expect(montreal.seen.filter(({ what }) => what.includes('/tariffs'))).toEqual([]);
});

test('what changes for one partner is queued for it alone, and what a later month changes for nobody yet', async () => {
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const queued = async () => {
    const { rows } = await db.query<{ name: string; n: number }>(
      `SELECT name, count(*)::int AS n FROM due JOIN partners p ON due.id LIKE 'push granted ' || partner_id || ' %' GROUP BY name`,
    );
    return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
  };
  const turns = async () =>
    (await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM due WHERE kind = 'grants-turn' AND done_at IS NULL`)).rows[0]!.n;
  const agree = (grants: Partial<Grants>, valid_from = month()) => oasis.neighbours.bus.ask(setAgreement, {
    partner: { countryCode: 'CA', partyId: 'CPK' }, agreement: agreementOf({ ...exampleTerms, valid_from, grants: { tariffs: [], ...grants } }),
  });
  const before = await queued();
  await agree({ locations: ['ANOTHER'] }, nextMonth(nextMonth(month())));
  await expect.poll(turns).toBe(1);
  await agree({ locations: ['ANOTHER'] });
  await expect.poll(async () => (await queued())['Carbon Plunk']).toBe((before['Carbon Plunk'] ?? 0) + 1);
  await expect.poll(() => JSON.stringify(plunk.seen.at(-1)?.body)).toContain('REMOVED');
  expect(await queued()).toEqual({ ...before, 'Carbon Plunk': (before['Carbon Plunk'] ?? 0) + 1 });
  await db.close();
});

test("the place in a Session of OCPI 2.1.1 names no tariff that is granted to others", async () => {
  const old = await HandPartner.open('Old', 'OLD', 'EMSP', ['RECEIVER sessions']);
  old.version = '2.1.1';
  await old.register(oasis);
  const named = ['PLUNK', 'L2'].map((id) => ({
    ...location, id: `OF-${id}`, evses: evses.map((one) => ({ ...one, connectors: one.connectors.map((each) => ({ ...each, tariff_ids: [id] })) })),
  }));
  oasis.neighbours.own.locations.push(...named);
  const place = async ({ id, evses: [one] }: (typeof named)[number]) => {
    const session = {
      ...exampleSession, id: `S-${id}`, location_id: id, evse_uid: one!.uid, connector_id: one!.connectors[0]!.id,
      cdr_token: { ...exampleSession.cdr_token, party_id: 'OLD' },
    };
    await oasis.neighbours.tell(told(sessionStarted, { sessionId: session.id, tokenParty: { countryCode: 'CA', partyId: 'OLD' }, sessionJson: toJsonBytes(session) }));
    const seen = () => old.seen.find(({ what }) => what.startsWith('PUT /sessions') && what.endsWith(session.id));
    await expect.poll(seen).toBeDefined();
    return /"tariff_id":"[^"]*"/.exec(JSON.stringify(seen()!.body))?.[0];
  };
  expect([await place(named[0]!), await place(named[1]!)]).toEqual([undefined, '"tariff_id":"L2"']);
  await old.close();
});
