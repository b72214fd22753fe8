import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { evseStatusChanged, locationChanged } from '#contracts/locations';
import {
  authorizeAtPartner, type DeadLetter, type DeliveryFailed, deliveryFailed, invitePartner, listDeadLetters,
  listPartners, registerPartner, renewPartner, sendCommand, SendOutcome,
} from '#contracts/ocpi-gateway';
import { commandFinished, sessionEnded, sessionStarted } from '#contracts/sessions';
import { tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import {
  type AuthorizationInfo, type Cdr, creditCdr, exampleCdr, exampleLocation, exampleSession, exampleTariff,
  exampleToken, type Location, type Session, type Token,
} from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, origin, plunkParty, type Side, versionsUrl } from './side.ts';

// Carbon Plunk speaks 2.1.1 alone until the upgrade at the end; Energy OASIS speaks everything.

let oasis: Side;
let plunk: Side;
const hands: HandPartner[] = [];

const location: Location = { ...exampleLocation, id: 'BURNABY' };
const hidden: Location = { ...exampleLocation, id: 'STAFF', publish: false };
const limited = { ...exampleTariff, id: 'DC-FAST', elements: [{ ...exampleTariff.elements[0]!, restrictions: { max_current: 32 } }] };
const card: Token = { ...exampleToken, uid: '04AA' };
const app: Token = { ...exampleToken, uid: 'APP-1', type: 'APP_USER' };
const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };
const cdr_token = { ...exampleSession.cdr_token, party_id: 'CPK', uid: 'APP-1', type: 'APP_USER' as const };

beforeAll(async () => {
  [oasis, plunk] = await Promise.all([openSide({}), openSide({ party: plunkParty }, ['2.1.1'])]);
  oasis.neighbours.own.locations.push(location, hidden);
  oasis.neighbours.own.tariffs.push(exampleTariff, limited);
  plunk.neighbours.own.tokens.push(card, app);
});
afterAll(async () => {
  await Promise.all(hands.map((hand) => hand.close()));
  await oasis?.close();
  await plunk?.close();
});

const takenBy = ({ neighbours }: Side) => neighbours.taken.map(({ what }) => what);
const taken = (of: Side, what: string) => of.neighbours.taken.findLast((one) => one.what === what)?.body;
/** OASIS's Location is like this now, for whoever asks. */
const keep = (now: Location): Location => {
  const all = oasis.neighbours.own.locations;
  all.splice(all.findIndex(({ id }) => id === now.id), 1, now);
  return now;
};
const partnerOf = async (side: Side) => (await side.neighbours.bus.ask(listPartners, {})).partners[0]!;

test('VER-02 the version is the newest that both have: 2.1.1 lists each module once, without roles', async () => {
  const { tokenA } = await oasis.neighbours.bus.ask(invitePartner, {
    name: 'Carbon Plunk',
    parties: [{ party: { countryCode: 'CA', partyId: 'CPK' } }],
  });
  const url = (path: string) => `${origin(oasis)}/ocpi/${path}`;
  expect((await call(oasis, '/ocpi/versions', { token: tokenA })).data).toEqual(
    ['2.3.0', '2.2.1', '2.1.1'].map((version) => ({ version, url: url(version) })),
  );
  expect((await call(oasis, '/ocpi/2.1.1', { token: tokenA })).data).toEqual({
    version: '2.1.1',
    endpoints: ['credentials', 'locations', 'sessions', 'cdrs', 'tariffs', 'tokens', 'commands'].map((identifier) => ({
      identifier,
      url: url(`2.1.1/${identifier}`),
    })),
  });
  const view = await plunk.neighbours.bus.ask(
    registerPartner,
    { name: 'Energy OASIS', versionsUrl: versionsUrl(oasis), tokenA },
    { timeoutMs: 30_000 },
  );
  expect(view).toMatchObject({ state: 'registered', version: '2.1.1', roles: [{ role: 'CPO', party: bct }] });
  expect(await partnerOf(oasis)).toMatchObject({ name: 'Carbon Plunk', version: '2.1.1', roles: [{ role: 'EMSP', party: cpk }] });
});

test('a Location without `publish` is public there: one that is not published is never sent, nor is a Tariff that would mean something else', async () => {
  await expect.poll(() => takenBy(plunk)).toEqual(['PUT TARIFF CA*BCT L2', 'PUT LOCATION CA*BCT BURNABY']);
  expect(taken(plunk, 'PUT LOCATION CA*BCT BURNABY')).toMatchObject({
    country_code: 'CA',
    party_id: 'BCT',
    publish: true,
    parking_type: 'PARKING_LOT',
    time_zone: 'America/Vancouver',
    evses: [{}, { uid: 'L2-01', connectors: [{ max_voltage: 208, power_type: 'AC_1_PHASE', tariff_ids: ['L2'] }] }],
  });
  expect((taken(plunk, 'PUT TARIFF CA*BCT L2') as typeof exampleTariff).elements[0]).toEqual({
    price_components: [{ type: 'ENERGY', price: 0.3, step_size: 1 }],
  });
  await expect
    .poll(async () => (await partnerOf(oasis)).lastError)
    .toMatch(/tariffs DC-FAST: not sent: restrictions.max_current: OCPI 2.1.1 has none/);
});

test('the operator sees what the version could not say', async () => {
  await expect.poll(async () => (await partnerOf(oasis)).notCarried).toEqual(expect.arrayContaining([
    'location to 2.1.1: evses[].connectors[].max_electric_power: OCPI 2.1.1 has no such field',
    'tariff to 2.1.1: elements[].price_components[].vat: OCPI 2.1.1 has no such field',
    'location to 2.1.1: the Location is not published, and OCPI 2.1.1 has no way to say so',
  ]));
});

test('LOC-02 a status is a PATCH of the EVSE; of a Location that is not published it is not', async () => {
  const at = '2022-02-01T17:00:00Z';
  for (const of of [hidden, location]) {
    const evses = of.evses!.map((evse) => (evse.uid === 'L2-01' ? { ...evse, status: 'CHARGING' as const, last_updated: at } : evse));
    const charging = keep({ ...of, last_updated: at, evses });
    await oasis.neighbours.tell(told(evseStatusChanged, {
      own: true, party: bct, locationId: of.id, evseUid: 'L2-01', status: 'CHARGING', lastUpdated: at, locationJson: toJsonBytes(charging),
    }));
  }
  await expect.poll(() => taken(plunk, 'PATCH LOCATION CA*BCT BURNABY L2-01')).toEqual({ status: 'CHARGING', last_updated: at });
  await expect.poll(async () => (await partnerOf(oasis)).waiting).toBe(0);
  expect(takenBy(plunk).filter((what) => what.includes('STAFF'))).toEqual([]);
});

test('a Location that is published no longer is sent once more, with its EVSEs removed', async () => {
  const gone = { ...location, publish: false, last_updated: '2022-02-01T17:30:00Z' };
  const change = (now: Location) =>
    oasis.neighbours.tell(
      told(locationChanged, {
        own: true,
        party: bct,
        locationId: 'BURNABY',
        locationJson: toJsonBytes(keep(now)),
        lastUpdated: now.last_updated,
      }),
    );
  await change(gone);
  await expect
    .poll(() =>
      (plunk.neighbours.partners.get('LOCATION CA*BCT BURNABY') as Location).evses!.map(({ status }) => status),
    )
    .toEqual(['REMOVED', 'REMOVED']);
  await change({ ...location, last_updated: '2022-02-01T17:40:00Z' });
  await expect
    .poll(() =>
      (plunk.neighbours.partners.get('LOCATION CA*BCT BURNABY') as Location).evses!.map(({ status }) => status),
    )
    .toEqual(['AVAILABLE', 'AVAILABLE']);
});

test('TOK-02 a Token goes without its party and comes with it; its type is found where a PATCH does not say it', async () => {
  await expect.poll(() => takenBy(oasis)).toEqual(['PUT TOKEN CA*CPK RFID 04AA', 'PUT TOKEN CA*CPK OTHER APP-1']);
  const blocked = { ...app, valid: false, last_updated: '2022-02-01T18:00:00Z' };
  plunk.neighbours.own.tokens.splice(1, 1, blocked);
  await plunk.neighbours.tell(
    told(tokenChanged, {
      own: true,
      party: cpk,
      uid: app.uid,
      type: app.type,
      tokenJson: toJsonBytes(blocked),
      lastUpdated: blocked.last_updated,
    }),
  );
  await expect.poll(() => taken(oasis, 'PATCH TOKEN CA*CPK OTHER APP-1')).toEqual({ valid: false, last_updated: blocked.last_updated });
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const { rows } = await db.query('SELECT object_key FROM to_fetch');
  await db.close();
  expect(rows, 'TRN-63: nothing is missing').toEqual([]);
});

test('TOK-04 an authorization is asked and answered: the Token in it is the one that is known here', async () => {
  const ask = (uid: string, type = 'RFID') =>
    oasis.neighbours.bus.ask(authorizeAtPartner, { party: cpk, uid, type, timeoutMs: 20_000 }, { timeoutMs: 30_000 });
  const known = await ask('04AA');
  expect(fromJsonBytes<AuthorizationInfo>(known.authorizationInfoJson!)).toMatchObject({
    allowed: 'ALLOWED',
    token: { party_id: 'CPK', uid: '04AA', contract_id: card.contract_id },
  });
  const app = await ask('APP-1', 'OTHER');
  expect(
    app.authorizationInfoJson && fromJsonBytes<AuthorizationInfo>(app.authorizationInfoJson),
    'an APP_USER, who is told of as OTHER there',
  ).toMatchObject({ token: { uid: 'APP-1' } });
  const unknown = await ask('04FF');
  expect([unknown.outcome, unknown.authorizationInfoJson]).toEqual([SendOutcome.ANSWERED, undefined]);
});

test('CMD-01 START_SESSION is answered, and the result comes; a command that 2.1.1 does not have is not supported', async () => {
  const ordered: unknown[] = [];
  oasis.neighbours.answers.startSession = async (order) => {
    const { orderId } = order;
    ordered.push(order);
    await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'EVSE_OCCUPIED', message: 'A car is there' }));
    return { result: 'ACCEPTED' };
  };
  const send = (orderId: string, body: object, command = 'START_SESSION') =>
    plunk.neighbours.bus.ask(sendCommand, { orderId, party: bct, command, bodyJson: toJsonBytes(body) });
  const sent = await send('order-1', { token: app, location_id: 'BURNABY', evse_uid: 'L2-01', authorization_reference: 'order-1' });
  expect(sent).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 30 });
  await expect.poll(() => plunk.neighbours.results).toEqual([{ orderId: 'order-1', result: 'REJECTED', message: '' }]);
  expect(ordered).toMatchObject([{ token: { country_code: 'CA', party_id: 'CPK', uid: 'APP-1' }, locationId: 'BURNABY' }]);
  expect(await send('order-2', { reservation_id: 'R1' }, 'CANCEL_RESERVATION')).toMatchObject({
    outcome: SendOutcome.ANSWERED,
    result: 'NOT_SUPPORTED',
  });
  expect(await send('order-3', { session_id: 'S-9' }, 'STOP_SESSION')).toMatchObject({ result: 'UNKNOWN_SESSION' });
});

const [firstPeriod, lastPeriod] = exampleSession.charging_periods!;
const { end_date_time: _end, total_cost: _cost, charging_periods: _periods, ...begun } = exampleSession;
// The clock of the platforms runs now, and so does the order.
const startedAt = new Date().toISOString();
const active: Session = {
  ...begun,
  id: 'S-1',
  location_id: 'BURNABY',
  kwh: 0,
  start_date_time: startedAt,
  status: 'ACTIVE',
  auth_method: 'COMMAND',
  cdr_token,
};
const completed: Session = {
  ...active,
  kwh: 12.4,
  charging_periods: [firstPeriod!, lastPeriod!],
  total_cost: { excl_vat: 4.47, incl_vat: 4.6935 },
  status: 'COMPLETED',
  end_date_time: startedAt,
  last_updated: '2022-02-01T19:20:00Z',
};

test('a Session names its driver by the contract: of the tokens under it, it is the one with which the start was ordered', async () => {
  const told1 = (session: Session) => ({ sessionId: session.id, tokenParty: cpk, sessionJson: toJsonBytes(session) });
  await oasis.neighbours.tell(told(sessionStarted, told1(active)));
  await expect
    .poll(() => taken(plunk, 'PUT SESSION CA*BCT S-1'))
    .toMatchObject({
      country_code: 'CA',
      party_id: 'BCT',
      location_id: 'BURNABY',
      evse_uid: 'L2-01',
      connector_id: '1',
      cdr_token,
      auth_method: 'AUTH_REQUEST',
      status: 'ACTIVE',
    });
  await oasis.neighbours.tell(
    told(sessionEnded, {
      ...told1(completed),
      locationJson: toJsonBytes(location),
      tariffJson: toJsonBytes(exampleTariff),
      tariffVersion: 1,
      tokenJson: toJsonBytes(app),
      energyWh: '12400',
    }),
  );
  await expect
    .poll(() => taken(plunk, 'PUT SESSION CA*BCT S-1'))
    .toMatchObject({
      status: 'COMPLETED',
      kwh: 12.4,
      total_cost: { excl_vat: 4.47 },
      charging_periods: [{ start_date_time: firstPeriod!.start_date_time }, {}],
    });
});

const cdr: Cdr = { ...exampleCdr, id: 'S-1-1', session_id: 'S-1', start_date_time: startedAt, end_date_time: startedAt, cdr_token };
const credit: Cdr = creditCdr(cdr, '2022-02-03T18:00:00Z');
const replacement: Cdr = { ...cdr, id: 'S-1-2', last_updated: credit.last_updated };
const issued = (one: Cdr) =>
  told(cdrIssued, {
    cdrId: one.id,
    sessionId: 'S-1',
    credit: one.credit ?? false,
    tokenParty: cpk,
    cdrJson: toJsonBytes(one),
  });

test('CDR-01 a CDR is delivered, without VAT; a Credit CDR, which 2.1.1 does not have, waits with the reason, and so does what replaces it', async () => {
  const failures: DeliveryFailed[] = [];
  const watching = await oasis.neighbours.bus.watch(deliveryFailed, (fact) => void failures.push(fact));
  await oasis.neighbours.tell(issued(cdr), issued(credit), issued(replacement));
  await expect
    .poll(() => taken(plunk, 'POST CDR CA*BCT S-1-1'))
    .toMatchObject({
      total_cost: { excl_vat: 4.47 },
      total_energy: 12.4,
      cdr_token,
      cdr_location: { id: 'OASIS-BBY', evse_uid: 'L2-01', evse_id: 'CA*BCT*EL201' },
      tariffs: [{ id: 'L2' }],
    });
  await expect
    .poll(() => failures)
    .toMatchObject([
      {
        module: 'cdrs',
        objectId: 'S-1-1-C',
        error: expect.stringMatching(/^not sent: credit: OCPI 2.1.1 has no Credit CDR/),
      },
      { module: 'cdrs', objectId: 'S-1-2', error: expect.stringMatching(/^not sent: id: .* would be a second bill/) },
    ]);
  expect(takenBy(plunk).filter((what) => what.startsWith('POST CDR'))).toHaveLength(1);
  watching.stop();
});

test('2.1.1 a partner pulls lists and objects at one URL, PATCHes a Tariff, and hears in its own words what is wrong', async () => {
  const { neighbours } = oasis;
  const emsp = await invited(oasis, 'EXA');
  const get = (path: string) => call(oasis, `/ocpi/2.1.1/${path}`, { token: emsp.token });
  const list = await get('locations');
  expect((list.data as object[]).map((one) => (one as { id: string }).id)).toEqual(['BURNABY']);
  expect(list.data).toMatchObject([{ type: 'PARKING_LOT', postal_code: 'V5G 3H2' }]);
  expect((await get('locations/BURNABY/L2-01/1')).data).toMatchObject({ voltage: 208, tariff_id: 'L2' });
  expect((await get('locations/STAFF')).http).toBe(404);
  expect((await get('chargingprofiles/S-1')).http).toBe(404);
  for (const { http, headers } of [list, await get('locations/STAFF'), await get('locations/a/b/c/d/e/f')])
    expect([http, [...headers.keys()].filter((name) => name.startsWith('ocpi-'))], 'parties are not named in 2.1.1').toEqual([http, []]);
  neighbours.partners.set('LOCATION CA*EXA X', { ...exampleLocation, party_id: 'EXA', id: 'X' });
  expect((await get('locations/CA/EXA/X')).data, 'its own object, as it is kept here').toMatchObject({ id: 'X', type: 'PARKING_LOT' });
  expect((await get('locations?limit=0')).status_message).toBe('limit must be a whole number of at least 1 (OCPI 2.1.1)');
  const wrong = await call(oasis, '/ocpi/2.1.1/tokens/CA/EXA/T1', { token: emsp.token, method: 'PUT', body: { uid: 'T1', type: 'RFID' } });
  expect([wrong.http, wrong.status_code, wrong.status_message]).toEqual([
    200,
    2001,
    expect.stringMatching(/^auth_id: is missing.*\(OCPI 2.1.1\)$/),
  ]);
});

test('2.1.1 a Tariff of a partner is PATCHed into the one that is kept', async () => {
  const cpo = await invited(plunk, 'EXB');
  const send = (method: string, body: object) => call(plunk, '/ocpi/2.1.1/tariffs/CA/EXB/T', { token: cpo.token, method, body });
  const component = (price: unknown) => [{ price_components: [{ type: 'TIME', price, step_size: 300 }] }];
  const tariff = { id: 'T', currency: 'CAD', elements: component('2.00'), last_updated: '2022-02-01T17:00:00Z' };
  expect((await send('PATCH', { elements: component(2.5) })).http, 'there is none yet').toBe(404);
  expect((await send('PUT', tariff)).http).toBe(201);
  expect(await send('PATCH', { elements: component(2.5) })).toMatchObject({ http: 200, status_code: 1000 });
  expect(plunk.neighbours.partners.get('TARIFF CA*EXB T')).toMatchObject({
    country_code: 'CA',
    party_id: 'EXB',
    currency: 'CAD',
    elements: component(2.5),
  });
});

test('CRE-06 an upgrade keeps the partner: all is said again in the newer version, and the Credit CDR goes', async () => {
  const before = await partnerOf(oasis);
  await plunk.gateway.stop();
  await plunk.restart(['2.2.1', '2.1.1']);
  const view = await oasis.neighbours.bus.ask(renewPartner, { partnerId: before.partnerId }, { timeoutMs: 30_000 });
  expect(view).toMatchObject({ partnerId: before.partnerId, version: '2.2.1', state: 'registered' });
  expect(await partnerOf(plunk)).toMatchObject({ version: '2.2.1', name: 'Energy OASIS' });
  await expect.poll(() => taken(plunk, 'POST CDR CA*BCT S-1-1-C')).toEqual(credit);
  await expect.poll(() => taken(plunk, 'POST CDR CA*BCT S-1-2')).toEqual(replacement);
  await expect.poll(() => plunk.neighbours.partners.get('LOCATION CA*BCT STAFF')).toMatchObject({ id: 'STAFF', publish: false });
  await expect.poll(() => plunk.neighbours.partners.get('TARIFF CA*BCT DC-FAST')).toEqual(limited);
  expect(plunk.neighbours.partners.get('TARIFF CA*BCT L2')).toEqual(exampleTariff);
  await expect.poll(() => oasis.neighbours.partners.get('TOKEN CA*CPK APP_USER APP-1')).toBeDefined();
  await expect.poll(async () => (await partnerOf(oasis)).notCarried).toEqual([]);
  expect(takenBy(plunk).filter((what) => what === 'POST CDR CA*BCT S-1-1')).toHaveLength(1);
});

test('a dead letter shows what was said: of a partner of 2.1.1 its Location, without what that version does not have', async () => {
  const { neighbours: { bus } } = oasis;
  const partner = await invited(oasis, 'LTR');
  // What it is sent at first is not to come in the midst of what is looked at.
  await expect.poll(() => partner.pushed('PUT /locations/')).toContain('PUT /locations/CA/BCT/BURNABY');
  const viewed = async () =>
    (await bus.ask(listPartners, {})).partners.find(({ roles }) => roles.some(({ party }) => party!.partyId === 'LTR'))!;
  await expect.poll(async () => (await viewed()).waiting).toBe(0);
  partner.answer = (what) => (what.includes('/locations/') ? { status: 2001 } : {});
  await oasis.neighbours.tell(
    told(locationChanged, {
      own: true,
      party: bct,
      locationId: 'BURNABY',
      locationJson: toJsonBytes(keep({ ...location, name: 'With another name', last_updated: '2022-02-01T19:00:00Z' })),
      lastUpdated: '2022-02-01T19:00:00Z',
    }),
  );
  const { partnerId } = await viewed();
  const letter = async () =>
    (await bus.ask(listDeadLetters, { partnerId, limit: 10 })).letters.find(({ key }) => key!.objectId === 'BURNABY');
  const bodyOf = (one: DeadLetter | undefined) => (one?.bodyJson ? fromJsonBytes<{ last_updated: string }>(one.bodyJson) : undefined);
  await expect.poll(async () => bodyOf(await letter())?.last_updated).toBe('2022-02-01T19:00:00Z');
  expect(await letter()).toMatchObject({ key: { module: 'locations', objectId: 'BURNABY' }, version: '2.1.1' });
  const said = bodyOf(await letter());
  expect(said).toEqual(partner.seen.findLast(({ what }) => what === 'PUT /locations/CA/BCT/BURNABY')!.body);
  expect(said).toMatchObject({ id: 'BURNABY', type: 'PARKING_LOT' });
  expect(said).not.toHaveProperty('publish');
});

/** A partner of 2.1.1 that takes nothing but Tokens or Locations, and calls. */
async function invited(side: Side, partyId: string): Promise<HandPartner> {
  const partner = await HandPartner.open('Example', partyId, '', ['RECEIVER locations']);
  partner.version = '2.1.1';
  hands.push(partner);
  const answer = await partner.register(side);
  expect(answer).toMatchObject({ http: 200, status_code: 1000, data: { country_code: 'CA' } });
  expect(answer.data).not.toHaveProperty('roles');
  return partner;
}
