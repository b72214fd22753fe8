import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { evseStatusChanged } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import { sessionStarted, sessionUpdated } from '#contracts/sessions';
import { tariffPublished } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import { authorization, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, type Location, type Session } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { ocpi, openSide, type Side } from './side.ts';

// What a gateway does about partners that are down, slow, or say no: all worked by hand.

const location: Location = { ...exampleLocation, id: 'BURNABY' };
const bct = { countryCode: 'CA', partyId: 'BCT' };

let oasis: Side;
let montreal: HandPartner;
let slow: HandPartner;

beforeAll(async () => {
  // Longer than one is silent here.
  oasis = await openSide({ ocpi: { ...ocpi, request_timeout_ms: 120_000, letters_again_ms: 1_500 } });
  oasis.neighbours.own.locations.push(location);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', [
    'RECEIVER locations',
    'RECEIVER tariffs',
    'RECEIVER sessions',
    'RECEIVER cdrs',
  ]);
  slow = await HandPartner.open('Slow', 'SLO', 'EMSP', ['RECEIVER locations']);
  await montreal.register(oasis);
  await vi.waitFor(() => expect(montreal.pushed()).toEqual(['PUT /locations/CA/BCT/BURNABY']), { timeout: 60_000 });
});
afterAll(async () => {
  await Promise.all([montreal, slow].map((one) => one?.close()));
  await oasis?.close();
});

const viewOf = async (name: string) =>
  (await oasis.neighbours.bus.ask(listPartners, {})).partners.findLast((one) => one.name === name)!;
const evseStatus = (status: 'CHARGING' | 'BLOCKED', at: string) => {
  const evses = location.evses!.map((evse) => (evse.uid === 'L2-01' ? { ...evse, status, last_updated: at } : evse));
  return told(evseStatusChanged, {
    own: true, party: bct, locationId: 'BURNABY', evseUid: 'L2-01', status, lastUpdated: at,
    locationJson: toJsonBytes({ ...location, evses, last_updated: at }),
  });
};

test('a partner that never answers costs the others nothing', async () => {
  slow.answer = () => 'never';
  await slow.register(oasis);
  await expect.poll(() => slow.pushed()).toContain('PUT /locations/CA/BCT/BURNABY');
  await oasis.neighbours.tell(evseStatus('CHARGING', '2022-02-01T17:00:00Z'));
  await expect.poll(() => montreal.pushed()).toContain('PATCH /locations/CA/BCT/BURNABY/L2-01');
  expect([slow.pushed().length, (await viewOf('Slow')).lastError], 'it still has not answered').toEqual([1, '']);
});

test('TRN-91 after an outage the object is sent as it is now, whole, and nothing of what it was', async () => {
  montreal.seen.length = 0;
  await oasis.neighbours.tell(evseStatus('BLOCKED', '2022-02-01T17:05:00Z'));
  await expect.poll(() => montreal.pushed()).toHaveLength(1);
  slow.seen.length = 0;
  slow.answer = () => ({});
  slow.hangUp();
  await expect.poll(async () => (await viewOf('Slow')).waiting).toBe(0);
  expect((await viewOf('Slow')).lastError).toContain('locations BURNABY: unclear');
  expect(slow.seen).toMatchObject([{ what: 'PUT /locations/CA/BCT/BURNABY', body: { evses: [{}, { status: 'BLOCKED' }] } }]);
});

test('TRN-63 a PATCH that is refused is followed by the whole object', async () => {
  montreal.seen.length = 0;
  montreal.answer = (what) => (what.startsWith('PATCH') ? { http: 404, status: 2001 } : {});
  await oasis.neighbours.tell(evseStatus('CHARGING', '2022-02-01T17:10:00Z'));
  await expect.poll(() => montreal.pushed()).toEqual(['PATCH /locations/CA/BCT/BURNABY/L2-01', 'PUT /locations/CA/BCT/BURNABY']);
});

const published = (id: string, at: string) => told(tariffPublished, {
  own: true, party: bct, tariffId: id, version: 2, tariffJson: toJsonBytes({ ...exampleTariff, id, last_updated: at }), lastUpdated: at,
});

test.each([
  ['HTTP 500', { http: 500, status: 3000 }, 'S-500'],
  ['3000', { status: 3000 }, 'S-3000'],
  ["a hub's 4002", { status: 4002 }, 'S-4002'],
] as const)('SES-03 a Session whose PATCH was taken though %s was answered goes whole from then on: no charging period is there twice', async (_, fault, id) => {
  const period = (hour: number) => ({ start_date_time: `2022-02-01T${hour}:00:00Z`, dimensions: [{ type: 'ENERGY' as const, volume: 1 }] });
  const at = (hour: number, periods: number[]): Session => ({
    ...exampleSession, id, cdr_token: { ...exampleSession.cdr_token, party_id: 'MTL' },
    charging_periods: periods.map(period), last_updated: `2022-02-01T${hour}:00:00Z`,
  });
  const fact = (session: Session) => ({ sessionId: id, tokenParty: { countryCode: 'CA', partyId: 'MTL' }, sessionJson: toJsonBytes(session) });
  let kept: Session | undefined;
  let faults = 2;
  montreal.answer = (what) => {
    const body = montreal.seen.at(-1)!.body as Session;
    if (what.startsWith('PATCH /sessions')) {
      kept = { ...kept!, ...body, charging_periods: [...kept!.charging_periods!, ...(body.charging_periods ?? [])] };
      if (faults-- > 0) return fault;
    }
    if (what.startsWith('PUT /sessions')) {
      if (kept && faults-- > 0) return fault;
      kept = body;
    }
    return {};
  };
  await oasis.neighbours.tell(told(sessionStarted, fact(at(17, [17]))));
  await expect.poll(() => kept).toEqual(at(17, [17]));
  await expect.poll(async () => (await viewOf('Montreal')).waiting).toBe(0);
  await oasis.neighbours.tell(told(sessionUpdated, fact(at(18, [17, 18]))));
  await expect.poll(() => kept?.last_updated).toBe(at(18, []).last_updated);
  await expect.poll(async () => (await viewOf('Montreal')).waiting).toBe(0);
  expect(kept).toEqual(at(18, [17, 18]));
});

test('an object that a partner refuses is set aside and said to the operator; changed, it is sent anew', async () => {
  montreal.seen.length = 0;
  montreal.answer = (what) => (what.endsWith('/L2') ? { status: 2001 } : {});
  await oasis.neighbours.tell(published('L2', '2022-02-02T00:00:00Z'), published('FREE', '2022-02-02T00:00:00Z'));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /tariffs/CA/BCT/L2', 'PUT /tariffs/CA/BCT/FREE']);
  await expect.poll(async () => (await viewOf('Montreal')).deadLetters).toBe(1);
  expect((await viewOf('Montreal')).lastError).toContain('tariffs L2: HTTP 200, 2001: said 2001');
  montreal.answer = () => ({});
  await oasis.neighbours.tell(published('L2', '2022-02-03T00:00:00Z'));
  await expect.poll(async () => (await viewOf('Montreal')).deadLetters).toBe(0);
  await expect.poll(async () => (await viewOf('Montreal')).waiting).toBe(0);
});

test('an object over which a partner fails goes behind the others, and is set aside in the end', async () => {
  montreal.seen.length = 0;
  const bothWait = Promise.withResolvers<void>();
  montreal.answer = async (what) => {
    await bothWait.promise;
    return what.endsWith('/L2') ? { status: 3000 } : {};
  };
  await oasis.neighbours.tell(published('L2', '2022-02-04T00:00:00Z'), published('FREE', '2022-02-04T00:00:00Z'));
  await expect.poll(async () => (await viewOf('Montreal')).waiting).toBe(2);
  bothWait.resolve();
  await expect.poll(() => montreal.pushed('PUT /tariffs/CA/BCT/L2')).toHaveLength(3);
  expect(montreal.pushed()[1]).toBe('PUT /tariffs/CA/BCT/FREE');
  await expect.poll(async () => (await viewOf('Montreal')).deadLetters).toBe(1);
});

test.each([
  ['3000 to everything', { status: 3000 }],
  ['HTTP 404 of a proxy with nobody behind it', { http: 404, status: 2000 }],
] as const)('what was set aside because a partner said %s, and no clear no, is tried again by itself, and taken once it works', async (_, fault) => {
  const id = `L-${'http' in fault ? fault.http : fault.status}`;
  montreal.answer = () => fault;
  montreal.seen.length = 0;
  await oasis.neighbours.tell(published(id, '2022-02-06T00:00:00Z'));
  await expect.poll(async () => (await viewOf('Montreal')).deadLetters).toBeGreaterThan(0);
  await expect.poll(() => montreal.pushed(`PUT /tariffs/CA/BCT/${id}`).length).toBeGreaterThan(3);
  expect((await viewOf('Montreal')).deadLetters, 'a dead letter until it is taken').toBeGreaterThan(0);
  montreal.answer = () => ({});
  await expect.poll(async () => (await viewOf('Montreal')).deadLetters).toBe(0);
  expect(montreal.seen.findLast(({ what }) => what.endsWith(id))!.body).toMatchObject({ id, last_updated: '2022-02-06T00:00:00Z' });
});

test("a CDR is sent again whatever a partner's fault is, in order, and over the party's next link if need be", async () => {
  const cdr = (id: string): Cdr => ({ ...exampleCdr, id, session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } });
  const issued = (one: Cdr) => told(cdrIssued, {
    cdrId: one.id, sessionId: 'S-none', credit: false, tokenParty: { countryCode: 'CA', partyId: 'MTL' }, cdrJson: toJsonBytes(one),
  });
  montreal.answer = (what) => (what.startsWith('POST /cdrs') ? { http: 503, status: 3000 } : {});
  montreal.seen.length = 0;
  await oasis.neighbours.tell(issued(cdr('C-1')), issued(cdr('C-2')));
  await expect.poll(() => montreal.pushed('POST /cdrs').length).toBeGreaterThan(3);
  const bodies = () => montreal.seen
    .filter(({ what, headers }) => what === 'POST /cdrs' && headers.authorization === authorization(montreal.given))
    .map(({ body }) => (body as Cdr).id);
  expect(new Set(bodies())).toEqual(new Set(['C-1']));
  // The partner starts over with a new TOKEN_A. What was under way over the old link may come, too, and is refused.
  montreal.given = 'of-the-next-link';
  montreal.asksForToken = true;
  expect(await montreal.register(oasis)).toMatchObject({ status_code: 1000 });
  montreal.seen.length = 0;
  montreal.answer = (what) =>
    (montreal.seen.at(-1)!.headers.authorization === authorization(montreal.given) || !what.startsWith('POST ') ? {} : { http: 401, status: 2001 });
  await expect.poll(bodies).toEqual(['C-1', 'C-2']);
  await oasis.neighbours.tell(issued(cdr('C-1')), issued(cdr('C-3')));
  await expect.poll(bodies).toEqual(['C-1', 'C-2', 'C-3']);
});

test('a CDR of a party whom no partner has yet is kept, and sent to the one who registers with it', async () => {
  const cdr: Cdr = { ...exampleCdr, id: 'EARLY-1', session_id: 'S-early', cdr_token: { ...exampleCdr.cdr_token, party_id: 'LTR' } };
  await oasis.neighbours.tell(told(cdrIssued, {
    cdrId: cdr.id, sessionId: 'S-early', credit: false, tokenParty: { countryCode: 'CA', partyId: 'LTR' }, cdrJson: toJsonBytes(cdr),
  }));
  const later = await HandPartner.open('Later', 'LTR', 'EMSP', ['RECEIVER cdrs']);
  await later.register(oasis);
  await expect.poll(() => later.seen.filter(({ what }) => what === 'POST /cdrs').map(({ body }) => (body as Cdr).id)).toEqual(['EARLY-1']);
  await later.close();
});
