import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { agreementOf, setAgreement } from '#contracts/agreements';
import { evseStatusChanged, locationChanged } from '#contracts/locations';
import { cdrIssued } from '#contracts/cdr-ledger';
import { listPartners } from '#contracts/ocpi-gateway';
import { sessionUpdated } from '#contracts/sessions';
import { told } from '#bus';
import { toJsonBytes } from '#contracts';
import { exampleCdr, exampleLocation, exampleSession, exampleToken, type Location } from '#ocpi';
import { exampleTerms, localMonth } from '#settlement';
import { openDatabase } from '#postgres';
import { zone } from '#time';
import { HandPartner, type Seen } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// Which Locations a partner sees: those that are private nobody does, others as its agreement grants.

const bct = { countryCode: 'CA', partyId: 'BCT' };
const interfaces = ['RECEIVER locations', 'RECEIVER sessions', 'RECEIVER cdrs'];
let oasis: Side;
let plunk: HandPartner;
let montreal: HandPartner;
/** All that was pushed in the tests before. */
const ever: Seen[] = [];

const evse = { ...exampleLocation.evses![0]!, uid: 'E1' };
const uid = evse.uid;
let newest = 0;
const later = () => new Date((newest = Math.max(newest + 1, Date.now()))).toISOString();
const location = (id: string, more: Partial<Location> = {}): Location => {
  const at = later();
  return { ...exampleLocation, id, name: `of ${id}`, evses: [{ ...evse, last_updated: at }], last_updated: at, ...more };
};

/** As the service locations has them now, told. */
async function tell(one: Location, isPrivate = false): Promise<void> {
  const { own, privates } = oasis.neighbours;
  own.locations.splice(0, own.locations.length, ...own.locations.filter(({ id }) => id !== one.id), one);
  privates[isPrivate ? 'add' : 'delete'](one.id);
  await oasis.neighbours.tell(told(locationChanged, {
    own: true, party: bct, locationId: one.id, locationJson: toJsonBytes(one), lastUpdated: one.last_updated, private: isPrivate,
  }));
}

const month = localMonth(Date.now(), zone(exampleTerms.time_zone));
/** What Carbon Plunk's agreement grants; absent: no word on Locations. */
const grant = (locations?: string[]) => oasis.neighbours.bus.ask(setAgreement, {
  partner: { countryCode: 'CA', partyId: 'CPK' },
  agreement: agreementOf({ ...exampleTerms, valid_from: month, grants: { tariffs: [], ...(locations ? { locations } : {}) } }),
});

const said = ({ seen }: { seen: readonly Seen[] }, id: string) => seen.filter(({ what, body }) =>
  what.includes(`/${id}`) || JSON.stringify(body ?? '').includes(`"${id}"`));
const pull = (partner: HandPartner, path: string) => call(oasis, `/ocpi/2.2.1/sender/locations${path}`, { token: partner.token });
const listed = async (partner: HandPartner) => {
  const { data, headers } = await pull(partner, '?limit=2');
  const ids = (data as Location[]).map(({ id }) => id);
  const more = Number(headers.get('x-total-count')) > 2 ? (await pull(partner, '?limit=2&offset=2')).data as Location[] : [];
  return [...ids, ...more.map(({ id }) => id)].sort();
};
const statusAt = ({ seen }: HandPartner, id: string) => {
  const { what, body } = seen.findLast((one) => one.what.includes(`/locations/CA/BCT/${id}`)) ?? {};
  const { status, evses } = body as { status?: string; evses?: Location['evses'] };
  return `${what!.split(' ')[0]} ${status ?? evses?.map((one) => one.status).join()}`;
};

const viewOf = async (name: string) =>
  (await oasis.neighbours.bus.ask(listPartners, {})).partners.find((one) => one.name === name)!;

beforeAll(async () => {
  oasis = await openSide({});
  plunk = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', interfaces);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', interfaces);
  await Promise.all([plunk.register(oasis), montreal.register(oasis)]);
});
beforeEach(() => {
  ever.push(...plunk.seen, ...montreal.seen);
  plunk.seen.length = montreal.seen.length = 0;
});
afterAll(async () => {
  await Promise.all([plunk?.close(), montreal?.close()]);
  await oasis?.close();
});

test('LOC-07: a private Location is in no push, list or GET; LOC-06: one that is not published is sent', async () => {
  const residents = location('RESIDENTS', { publish: false });
  await tell(residents, true);
  await oasis.neighbours.tell(told(evseStatusChanged, {
    own: true, party: bct, locationId: 'RESIDENTS', evseUid: uid, status: 'CHARGING', lastUpdated: residents.last_updated,
    locationJson: toJsonBytes(residents), private: true,
  }));
  await tell(location('STAFF', { publish: false, publish_allowed_to: [{ uid: 'CARD-1', type: 'RFID' }] }));
  await tell(location('VISITORS'));
  for (const partner of [plunk, montreal]) {
    await expect.poll(() => partner.pushed('PUT').sort()).toEqual(['PUT /locations/CA/BCT/STAFF', 'PUT /locations/CA/BCT/VISITORS']);
    expect(await listed(partner)).toEqual(['STAFF', 'VISITORS']);
    for (const path of ['', `/${uid}`, `/${uid}/1`]) {
      const { http, status_code } = await pull(partner, `/NOWHERE${path}`);
      expect(await pull(partner, `/RESIDENTS${path}`)).toMatchObject({ http, status_code });
      expect(http).toBe(404);
    }
    expect(await pull(partner, '/VISITORS')).toMatchObject({ http: 200, status_code: 1000 });
  }
});

test('LOC-07: who registers later does not get it, either', async () => {
  const late = await HandPartner.open('Late', 'LTE', 'EMSP', interfaces);
  await late.register(oasis);
  await expect.poll(() => late.pushed('PUT').sort()).toEqual(['PUT /locations/CA/BCT/STAFF', 'PUT /locations/CA/BCT/VISITORS']);
  expect(said(late, 'RESIDENTS')).toEqual([]);
  await late.close();
});

test('LOC-07: one that becomes private while it is listed for a new partner stays with nobody', async () => {
  await tell(location('RACE'));
  await expect.poll(() => statusAt(montreal, 'RACE')).toBe('PUT AVAILABLE');
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const isHandled = () => statusAt(montreal, 'RACE').endsWith('REMOVED');
  const isHeldUp = async () => (await db.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)).rows.length > 0;
  oasis.neighbours.listed = async (pages) => {
    oasis.neighbours.listed = async (more) => more;
    await tell(location('RACE'), true);
    await expect.poll(async () => isHandled() || await isHeldUp(), { timeout: 10_000 }).toBe(true);
    return pages;
  };
  const late = await HandPartner.open('At the moment', 'ATM', 'EMSP', interfaces);
  await late.register(oasis);
  for (const partner of [plunk, montreal]) await expect.poll(() => statusAt(partner, 'RACE')).toMatch(/REMOVED$/);
  await expect.poll(() => late.pushed('PUT')).toContain('PUT /locations/CA/BCT/VISITORS');
  await expect.poll(async () => (await viewOf('At the moment')).waiting).toBe(0);
  // By PATCH where it went out, and was acknowledged, before anybody here had heard of it.
  if (said(late, 'RACE').length > 0) expect(statusAt(late, 'RACE')).toMatch(/^(PUT|PATCH) REMOVED$/);
  await Promise.all([late.close(), db.close()]);
});

test('a new partner misses none of those behind one that becomes private while they are listed for it', async () => {
  const { own, privates } = oasis.neighbours;
  const many = Array.from({ length: 201 }, (_, n) => location(`MANY-${n}`));
  own.locations.push(...many);
  oasis.neighbours.listed = async (pages) => {
    oasis.neighbours.listed = async (more) => more;
    privates.add('MANY-0');
    return pages;
  };
  const late = await HandPartner.open('A list of many', 'LOM', 'EMSP', interfaces);
  await late.register(oasis);
  const missed = () => {
    const had = new Set(late.pushed('PUT'));
    return many.slice(1).map(({ id }) => id).filter((id) => !had.has(`PUT /locations/CA/BCT/${id}`));
  };
  await expect.poll(missed).toEqual([]);
  own.locations.splice(0, own.locations.length, ...own.locations.filter((one) => !many.includes(one)));
  await late.close();
});

test('LOC-03: what an agreement grants no more goes as REMOVED, to that partner alone, and is not there for it', async () => {
  await grant(['visit*']);
  await expect.poll(() => plunk.pushed()).toEqual([`PATCH /locations/CA/BCT/STAFF/${uid}`]);
  expect(statusAt(plunk, 'STAFF')).toBe('PATCH REMOVED');
  expect([await listed(plunk), await listed(montreal)]).toEqual([['VISITORS'], ['STAFF', 'VISITORS']]);
  expect(await pull(plunk, '/STAFF')).toMatchObject({ http: 404 });
  expect(montreal.pushed()).toEqual([]);
});

test('nothing is said of it while it is not granted, and it comes back whole', async () => {
  await tell(location('STAFF', { publish: false, name: 'moved' }));
  await tell(location('VISITORS', { name: 'moved' }));
  await expect.poll(() => plunk.pushed().some((what) => what.endsWith('/VISITORS'))).toBe(true);
  for (const id of ['STAFF', 'VISITORS']) await expect.poll(() => JSON.stringify(said(montreal, id))).toContain('"moved"');
  await expect.poll(async () => (await viewOf('Montreal')).waiting).toBe(0);
  expect(said(plunk, 'STAFF')).toEqual([]);
  await grant(['VISITORS', 'STAFF']);
  await expect.poll(() => plunk.pushed('PUT')).toEqual(['PUT /locations/CA/BCT/STAFF']);
  const back = plunk.seen.findLast(({ what }) => what === 'PUT /locations/CA/BCT/STAFF')!.body as Location;
  expect(back).toMatchObject({ name: 'moved', evses: [{ status: evse.status }] });
  expect((await pull(plunk, '/STAFF')).data).toEqual(back);
});

test('an agreement without a word on Locations shows all, one with an empty list none', async () => {
  await grant([]);
  await expect.poll(() => ['STAFF', 'VISITORS'].map((id) => (said(plunk, id).length > 0 ? statusAt(plunk, id) : '')))
    .toEqual(['PATCH REMOVED', 'PATCH REMOVED']);
  expect(await listed(plunk)).toEqual([]);
  await grant();
  await expect.poll(() => plunk.pushed('PUT').sort()).toEqual(['PUT /locations/CA/BCT/STAFF', 'PUT /locations/CA/BCT/VISITORS']);
  expect(await listed(plunk)).toEqual(['STAFF', 'VISITORS']);
});

test('LOC-07: a Location that turns private ends for everybody, without a word of what it became', async () => {
  await tell(location('STAFF', { publish: false, name: 'a secret' }), true);
  for (const partner of [plunk, montreal]) {
    await expect.poll(() => partner.pushed()).toEqual([`PATCH /locations/CA/BCT/STAFF/${uid}`]);
    expect(statusAt(partner, 'STAFF')).toBe('PATCH REMOVED');
    expect(JSON.stringify(partner.seen)).not.toContain('a secret');
  }
  await tell(location('STAFF', { name: 'for all' }));
  for (const partner of [plunk, montreal]) await expect.poll(() => statusAt(partner, 'STAFF')).toBe(`PUT ${evse.status}`);
});

test('what never reached a partner is not withdrawn from it: it hears nothing at all', async () => {
  const port = Number(new URL(plunk.base).port);
  await plunk.close();
  // The line is known to be down before it: of a request on a connection that broke nobody knows what came of it.
  await tell(location('VISITORS', { name: 'during the outage' }));
  await expect.poll(async () => (await viewOf('Carbon Plunk')).lastError).toContain('unreachable');
  await tell(location('SECRET'));
  await expect.poll(() => montreal.pushed()).toContain('PUT /locations/CA/BCT/SECRET');
  await grant(['VISITORS', 'STAFF']);
  await tell(location('VISITORS', { name: 'after the outage' }));
  // What is granted is carried out when nothing but VISITORS waits any more.
  await expect.poll(async () => (await viewOf('Carbon Plunk')).waiting).toBe(1);
  await plunk.reopen(port);
  await expect.poll(() => said(plunk, 'VISITORS').length).toBeGreaterThan(0);
  await expect.poll(async () => (await viewOf('Carbon Plunk')).waiting).toBe(0);
  expect(said(plunk, 'SECRET')).toEqual([]);
  await expect.poll(() => JSON.stringify(said(montreal, 'VISITORS'))).toContain('after the outage');
  await expect.poll(async () => (await viewOf('Montreal')).waiting).toBe(0);
});

test('LOC-07: no command finds a Location that its partner may not see', async () => {
  const commanded = async (command: string, locationId: string) => {
    const body = {
      response_url: `${plunk.base}/results/1`,
      location_id: locationId,
      evse_uid: uid,
      connector_id: '1',
      token: { ...exampleToken, country_code: 'CA', party_id: 'CPK' },
    };
    const { data, status_code } = await call(oasis, `/ocpi/2.2.1/receiver/commands/${command}`, {
      token: plunk.token,
      method: 'POST',
      body,
    });
    return [status_code, (data as { result: string }).result];
  };
  oasis.neighbours.answers.startSession = async () => ({ result: 'ACCEPTED' });
  expect(await commanded('START_SESSION', 'VISITORS')).toEqual([1000, 'ACCEPTED']);
  for (const id of ['RESIDENTS', 'SECRET']) {
    for (const command of ['START_SESSION', 'UNLOCK_CONNECTOR']) expect(await commanded(command, id)).toEqual([2003, 'REJECTED']);
  }
  expect(oasis.neighbours.orders).toHaveLength(1);
});

test('LOC-07: after all of this nobody was pushed a word of the private Location', () => {
  expect(ever.length).toBeGreaterThan(20);
  expect(said({ seen: ever }, 'RESIDENTS')).toEqual([]);
});

test('CDR-18: a charge at a private Location is told to the token\'s owner, and to nobody else', async () => {
  const session = {
    ...exampleSession,
    country_code: 'CA',
    party_id: 'BCT',
    id: 'S-HOME',
    location_id: 'RESIDENTS',
    status: 'COMPLETED' as const,
    last_updated: later(),
  };
  const cdr = {
    ...exampleCdr,
    country_code: 'CA',
    party_id: 'BCT',
    id: 'S-HOME-1',
    session_id: 'S-HOME',
    cdr_location: { ...exampleCdr.cdr_location, id: 'RESIDENTS' },
  };
  const owner = { country_code: 'CA', party_id: 'MTL' };
  const tokenParty = { countryCode: 'CA', partyId: 'MTL' };
  await oasis.neighbours.tell(told(sessionUpdated, {
    sessionId: session.id, tokenParty, sessionJson: toJsonBytes({ ...session, cdr_token: { ...session.cdr_token, ...owner } }),
  }));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/S-HOME']);
  await oasis.neighbours.tell(
    told(cdrIssued, {
      cdrId: cdr.id,
      sessionId: session.id,
      credit: false,
      tokenParty,
      cdrJson: toJsonBytes({ ...cdr, cdr_token: { ...cdr.cdr_token, ...owner } }),
    }),
  );
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/S-HOME', 'POST /cdrs']);
  expect(plunk.seen).toEqual([]);
});

test('what a partner may not see any more does not go to it while nobody can say which Locations there are', async () => {
  await grant(['VISITORS', 'STAFF']);
  await tell(location('VISITORS', { name: 'seen' }));
  await expect.poll(() => JSON.stringify(said(plunk, 'VISITORS'))).toContain('"seen"');
  await expect.poll(async () => (await viewOf('Carbon Plunk')).waiting).toBe(0);
  plunk.answer = () => ({ http: 503, status: 3000 });
  let asked = 0;
  const { listed: lists } = oasis.neighbours;
  oasis.neighbours.listed = async () => {
    asked += 1;
    throw new Error('locations is away');
  };
  await tell(location('VISITORS', { name: 'unseen' }));
  await expect.poll(async () => (await viewOf('Carbon Plunk')).line?.state).toBe('open');
  await grant(['STAFF']);
  await expect.poll(() => asked).toBeGreaterThan(0);
  plunk.seen.length = 0;
  plunk.answer = () => ({});
  await expect.poll(() => said(plunk, 'VISITORS').length).toBeGreaterThan(0);
  oasis.neighbours.listed = lists;
  expect(statusAt(plunk, 'VISITORS')).toContain('REMOVED');
  expect(JSON.stringify(said(plunk, 'VISITORS'))).not.toContain('unseen');
});

test('what a hub tells everybody is withdrawn from it when a party comes to be behind it that may not see that', async () => {
  await oasis.neighbours.bus.ask(setAgreement, {
    partner: { countryCode: 'CA', partyId: 'ISL' },
    agreement: agreementOf({
      ...exampleTerms, valid_from: month, grants: { tariffs: [], locations: ['NONE'] },
      parties: [exampleTerms.parties[0], { ...exampleTerms.parties[1], party_id: 'ISL' }],
    }),
  });
  const hub = await HandPartner.open('Open Hub', 'HUB', 'HUB', ['RECEIVER locations']);
  try {
    await hub.register(oasis);
    await expect.poll(() => hub.pushed()).toContain('PUT /locations/CA/BCT/STAFF');
    await expect.poll(async () => (await viewOf('Open Hub')).waiting).toBe(0);
    const info = { country_code: 'CA', party_id: 'ISL', role: 'EMSP', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
    await call(oasis, '/ocpi/2.2.1/receiver/hubclientinfo/CA/ISL', { token: hub.token, method: 'PUT', body: info });
    await expect.poll(() => statusAt(hub, 'STAFF')).toContain('REMOVED');
  } finally {
    await hub.close();
  }
});
