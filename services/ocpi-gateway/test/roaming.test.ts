import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { evseStatusChanged } from '#contracts/locations';
import {
  authorizeAtPartner, type CdrDelivered, cdrDelivered, invitePartner, listPartners, registerPartner, sendCommand, SendOutcome,
} from '#contracts/ocpi-gateway';
import { commandFinished, sessionEnded, sessionStarted, sessionUpdated } from '#contracts/sessions';
import { tariffPublished, tariffWithdrawn } from '#contracts/tariff-engine';
import { tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import {
  type AuthorizationInfo, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff,
  exampleToken, type Location, type Session, type Tariff, type Token,
} from '#ocpi';
import { call, openSide, origin, plunkParty, type Side, versionsUrl } from './side.ts';

// Energy OASIS speaks one version, Carbon Plunk all of them: what both have is taken, and everything is carried.
describe.each(['2.2.1', '2.3.0'])('in OCPI %s', (version) => {
  let oasis: Side;
  let plunk: Side;

  const location: Location = { ...exampleLocation, id: 'BURNABY' };
  const tariffs: Tariff[] = ['L2', 'DC-FAST', 'FREE'].map((id) => ({ ...exampleTariff, id }));
  const card: Token = { ...exampleToken, uid: '04AA' };

  beforeAll(async () => {
    [oasis, plunk] = await Promise.all([openSide({}, [version]), openSide({ party: plunkParty })]);
    oasis.neighbours.own.locations.push(location);
    oasis.neighbours.own.tariffs.push(...tariffs);
    plunk.neighbours.own.tokens.push(card);
  });
  afterAll(async () => {
    await oasis?.close();
    await plunk?.close();
  });

  const takenBy = ({ neighbours }: Side) => neighbours.taken.map(({ what }) => what);
  const taken = (of: Side, what: string) => of.neighbours.taken.findLast((one) => one.what === what)?.body;

  test('TRN-06 VER-01 CRE-04 a partner registers with TOKEN_A, which opens nothing else; both sides know each other, and it is dead', async () => {
    const invitation = await oasis.neighbours.bus.ask(invitePartner, {
      name: 'Carbon Plunk',
      parties: [{ party: { countryCode: 'CA', partyId: 'CPK' } }],
    });
    const { tokenA } = invitation;
    expect(invitation.versionsUrl).toBe(versionsUrl(oasis));
    expect((await call(oasis, '/ocpi/versions', { token: tokenA })).data).toEqual([
      { version, url: `${origin(oasis)}/ocpi/${version}` },
    ]);
    expect((await call(oasis, `/ocpi/${version}/sender/locations`, { token: tokenA })).http, 'TRN-06').toBe(401);
    expect(
      (await call(oasis, `/ocpi/${version}/credentials`, { token: tokenA, method: 'DELETE' })).http,
      'CRE-04',
    ).toBe(405);
    const view = await plunk.neighbours.bus.ask(
      registerPartner,
      { name: 'Energy OASIS', versionsUrl: versionsUrl(oasis), tokenA },
      { timeoutMs: 30_000 },
    );
    expect(view).toMatchObject({ state: 'registered', version, roles: [{ role: 'CPO', party: { partyId: 'BCT' } }] });
    const { partners } = await oasis.neighbours.bus.ask(listPartners, {});
    expect(partners).toMatchObject([
      { name: 'Carbon Plunk', state: 'registered', versionsUrl: versionsUrl(plunk), roles: [{ role: 'EMSP' }] },
    ]);
    expect((await call(oasis, '/ocpi/versions', { token: tokenA })).http).toBe(401);
    const again = plunk.neighbours.bus.ask(
      registerPartner,
      { name: 'Again', versionsUrl: versionsUrl(oasis), tokenA },
      { timeoutMs: 30_000 },
    );
    await expect(again).rejects.toMatchObject({
      code: 'partner-unreachable',
      detail: expect.stringContaining('used already'),
    });
  });

  test('VER-04 tariffs go first, then locations, and tokens go the other way', async () => {
    await expect.poll(() => takenBy(plunk).length).toBe(4);
    expect(takenBy(plunk)).toEqual([
      'PUT TARIFF CA*BCT L2', 'PUT TARIFF CA*BCT DC-FAST', 'PUT TARIFF CA*BCT FREE', 'PUT LOCATION CA*BCT BURNABY',
    ]);
    expect(taken(plunk, 'PUT LOCATION CA*BCT BURNABY')).toEqual(location);
    await expect.poll(() => takenBy(oasis)).toEqual(['PUT TOKEN CA*CPK RFID 04AA']);
  });

  test('LOC-02 an EVSE that changes its status is a PATCH of the EVSE alone', async () => {
    const at = '2022-02-01T17:00:00Z';
    const evses = location.evses!.map((evse) => (evse.uid === 'L2-01' ? { ...evse, status: 'CHARGING' as const, last_updated: at } : evse));
    const now = { ...location, evses, last_updated: at };
    await oasis.neighbours.tell(told(evseStatusChanged, {
      own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: 'BURNABY', evseUid: 'L2-01', status: 'CHARGING',
      lastUpdated: at, locationJson: toJsonBytes(now),
    }));
    await expect.poll(() => taken(plunk, 'PATCH LOCATION CA*BCT BURNABY L2-01')).toEqual({ status: 'CHARGING', last_updated: at });
    expect(plunk.neighbours.partners.get('LOCATION CA*BCT BURNABY')).toEqual(now);
  });

  test('a tariff that changed is PUT, one that was withdrawn is DELETEd', async () => {
    const party = { countryCode: 'CA', partyId: 'BCT' };
    const dearer = { ...tariffs[2]!, last_updated: '2022-02-02T00:00:00Z' };
    await oasis.neighbours.tell(
      told(tariffPublished, {
        own: true,
        party,
        tariffId: 'FREE',
        version: 2,
        tariffJson: toJsonBytes(dearer),
        lastUpdated: dearer.last_updated,
      }),
    );
    await expect.poll(() => taken(plunk, 'PUT TARIFF CA*BCT FREE')).toEqual(dearer);
    await oasis.neighbours.tell(told(tariffWithdrawn, { own: true, party, tariffId: 'FREE', at: '2022-02-03T00:00:00Z' }));
    await expect.poll(() => takenBy(plunk)).toContain('DELETE TARIFF CA*BCT FREE');
  });

  test('TOK-02 a token that is no longer valid is PATCHed', async () => {
    const blocked = { ...card, valid: false, last_updated: '2022-02-01T18:00:00Z' };
    await plunk.neighbours.tell(
      told(tokenChanged, {
        own: true,
        party: { countryCode: 'CA', partyId: 'CPK' },
        uid: card.uid,
        type: card.type,
        tokenJson: toJsonBytes(blocked),
        lastUpdated: blocked.last_updated,
      }),
    );
    await expect.poll(() => taken(oasis, 'PATCH TOKEN CA*CPK RFID 04AA')).toEqual({ valid: false, last_updated: blocked.last_updated });
  });

  const [firstPeriod, lastPeriod] = exampleSession.charging_periods!;
  const { end_date_time: _end, total_cost: _cost, charging_periods: _periods, ...begun } = exampleSession;
  const active: Session = {
    ...begun,
    id: 'S-1',
    kwh: 0,
    status: 'ACTIVE',
    cdr_token: { ...exampleSession.cdr_token, party_id: 'CPK' },
    last_updated: '2022-02-01T17:00:00Z',
  };
  const refreshed: Session = {
    ...active,
    kwh: 12.4,
    charging_periods: [firstPeriod!],
    total_cost: { excl_vat: 3.72 },
    last_updated: '2022-02-01T19:00:00Z',
  };
  const completed: Session = {
    ...refreshed,
    charging_periods: [firstPeriod!, lastPeriod!],
    status: 'COMPLETED',
    end_date_time: '2022-02-01T19:15:00Z',
    last_updated: '2022-02-01T19:15:00Z',
  };
  const cpk = { countryCode: 'CA', partyId: 'CPK' };

  test("SES-03 a Session goes to its token's owner: PUT, then PATCHes with only the new charging periods", async () => {
    const told1 = (session: Session) => ({ sessionId: session.id, tokenParty: cpk, sessionJson: toJsonBytes(session) });
    await oasis.neighbours.tell(told(sessionStarted, told1(active)));
    await expect.poll(() => taken(plunk, 'PUT SESSION CA*BCT S-1')).toEqual(active);
    await oasis.neighbours.tell(told(sessionUpdated, told1(refreshed)));
    await expect.poll(() => taken(plunk, 'PATCH SESSION CA*BCT S-1')).toEqual({
      kwh: 12.4, total_cost: { excl_vat: 3.72 }, charging_periods: [firstPeriod], last_updated: refreshed.last_updated,
    });
    const foreign = { ...active, id: 'S-2', cdr_token: { ...active.cdr_token, party_id: 'ELS' } };
    await oasis.neighbours.tell(
      told(sessionStarted, { ...told1(foreign), tokenParty: { countryCode: 'CA', partyId: 'ELS' } }),
      told(sessionEnded, {
        ...told1(completed), locationJson: toJsonBytes(location), tariffJson: toJsonBytes(tariffs[0]), tariffVersion: 1,
        tokenJson: toJsonBytes(card), energyWh: '12400',
      }),
    );
    await expect.poll(() => plunk.neighbours.partners.get('SESSION CA*BCT S-1')).toEqual(completed);
    expect(takenBy(plunk).filter((what) => what.includes('S-2'))).toEqual([]);
  });

  const cdr: Cdr = { ...exampleCdr, id: 'S-1-1', session_id: 'S-1', cdr_token: active.cdr_token };
  const issued = (one: Cdr) => told(cdrIssued, {
    cdrId: one.id, sessionId: 'S-1', credit: false, tokenParty: cpk, cdrJson: toJsonBytes(one),
  });

  test('CDR-01 a CDR is delivered although the partner was down when it was issued, and once only', async () => {
    const view = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Carbon Plunk')!;
    await expect.poll(async () => (await view()).waiting).toBe(0);
    const delivered: CdrDelivered[] = [];
    const watching = await oasis.neighbours.bus.watch(cdrDelivered, (fact) => void delivered.push(fact));
    await plunk.gateway.stop();
    await oasis.neighbours.tell(issued(cdr));
    await expect.poll(async () => (await view()).lastError).toContain('cdrs S-1-1: unreachable');
    expect((await view()).waiting).toBe(1);
    await plunk.restart();
    await expect.poll(() => taken(plunk, 'POST CDR CA*BCT S-1-1')).toEqual(cdr);
    await expect.poll(async () => (await view()).waiting).toBe(0);
    expect(takenBy(plunk).filter((what) => what.startsWith('POST CDR'))).toHaveLength(1);
    // Settlement goes by the clock of whoever received it.
    const [at] = plunk.neighbours.recordedAt.values();
    await expect.poll(() => delivered.map(({ cdrId, at: told }) => [cdrId, Date.parse(told)])).toEqual([['S-1-1', Date.parse(at!)]]);
    watching.stop();
  });

  test('CMD-01 CMD-05 a command is answered at once, and its result comes to the response_url afterwards', async () => {
    oasis.neighbours.answers.startSession = async ({ orderId }) => {
      // The station may be faster than our own answer: the result still comes after it.
      await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
      return { result: 'ACCEPTED' };
    };
    const command = { token: card, location_id: 'BURNABY', evse_uid: 'L2-01', authorization_reference: 'order-1' };
    const send = (orderId: string, body: object = command, name = 'START_SESSION') => plunk.neighbours.bus.ask(sendCommand, {
      orderId, party: { countryCode: 'CA', partyId: 'BCT' }, command: name, bodyJson: toJsonBytes(body),
    });
    const sent = await send('order-1');
    expect(sent).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 30, statusCode: 1000 });
    await expect.poll(() => plunk.neighbours.results).toEqual([{ orderId: 'order-1', result: 'ACCEPTED', message: '' }]);
    expect(await send('order-1'), 'the same order again').toMatchObject({ result: 'ACCEPTED' });
    expect(oasis.neighbours.orders).toHaveLength(1);

    oasis.neighbours.answers.startSession = async () => ({ result: 'REJECTED', unknownLocation: true });
    expect(await send('order-2')).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'REJECTED', statusCode: 2003 });
    expect(await send('order-3', { session_id: 'S-9' }, 'STOP_SESSION')).toMatchObject({ result: 'UNKNOWN_SESSION', statusCode: 1000 });
    expect(await send('order-5', { location_id: 'BURNABY' })).toMatchObject({ result: 'REJECTED', statusCode: 2001 });
    expect(await plunk.neighbours.bus.ask(sendCommand, {
      orderId: 'order-6', party: { countryCode: 'CA', partyId: 'NON' }, command: 'START_SESSION', bodyJson: toJsonBytes(command),
    })).toMatchObject({ outcome: SendOutcome.NO_PARTNER });
  });

  test('CMD-10 a reservation goes to whoever keeps it, and CANCELED_RESERVATION to its response_url after the result', async () => {
    const send = (orderId: string, command: string, body: object) => plunk.neighbours.bus.ask(sendCommand, {
      orderId, party: { countryCode: 'CA', partyId: 'BCT' }, command, bodyJson: toJsonBytes(body),
    });
    const wish = { token: card, reservation_id: 'R-1', location_id: 'BURNABY', expiry_date: '2026-02-01T17:30:00Z' };
    expect(await send('reserve-1', 'RESERVE_NOW', wish)).toMatchObject({ result: 'ACCEPTED', timeoutS: 30 });
    const [taken] = oasis.neighbours.reservations;
    const { orderId } = taken as { orderId: string };
    expect(taken).toEqual({ orderId, reservationId: 'R-1', evseUid: 'any', expiresAt: '2026-02-01T17:30:00Z', uid: card.uid });
    const ends = (result: string) => told(commandFinished, { orderId, result, message: '' });
    await oasis.neighbours.tell(ends('ACCEPTED'));
    await oasis.neighbours.tell(ends('CANCELED_RESERVATION'));
    const results = () => plunk.neighbours.results.filter((one) => one.orderId === 'reserve-1').map(({ result }) => result);
    await expect.poll(results).toEqual(['ACCEPTED', 'CANCELED_RESERVATION']);
    expect(await send('cancel-1', 'CANCEL_RESERVATION', { reservation_id: 'R-1' })).toMatchObject({ result: 'ACCEPTED' });
    expect(oasis.neighbours.reservations.at(-1)).toEqual({ reservationId: 'R-1', parties: ['CPK'] });
    // CMD-06: with its own tokens alone.
    expect(await send('reserve-2', 'RESERVE_NOW', { ...wish, token: { ...card, party_id: 'XYZ' } })).toMatchObject({ result: 'REJECTED' });
  });

  test("a token's owner is asked in real time; TOK-06 one it does not know has no answer in it", async () => {
    const ask = (uid: string) =>
      oasis.neighbours.bus.ask(authorizeAtPartner, { party: cpk, uid, type: 'RFID', timeoutMs: 20_000 }, { timeoutMs: 30_000 });
    const known = await ask('04AA');
    expect(known.outcome).toBe(SendOutcome.ANSWERED);
    expect(fromJsonBytes<AuthorizationInfo>(known.authorizationInfoJson!)).toMatchObject({
      allowed: 'ALLOWED',
      authorization_reference: 'A1',
    });
    const unknown = await ask('04FF');
    expect([unknown.outcome, unknown.authorizationInfoJson]).toEqual([SendOutcome.ANSWERED, undefined]);
  });
});
