import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Fact, told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { listPartners } from '#contracts/ocpi-gateway';
import { sessionEnded, sessionStarted, sessionUpdated } from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import { authorization, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, type Session } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, heard, ocpi, openSide, type Side } from './side.ts';

// What of a charge goes to whom, and after what: the Session as it changes, COMPLETED, the CDR.

let oasis: Side;
/** Takes both; only CDRs; is of another party. */
let montreal: HandPartner;
let quebec: HandPartner;
let other: HandPartner;

beforeAll(async () => {
  // The longest that there is: no CDR goes alone here because the test took long.
  oasis = await openSide({ ocpi: { ...ocpi, cdr_waits_ms: 50_000 } });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER sessions', 'RECEIVER cdrs']);
  quebec = await HandPartner.open('Quebec', 'QBC', 'EMSP', ['RECEIVER cdrs']);
  other = await HandPartner.open('Other', 'OTH', 'EMSP', ['RECEIVER sessions', 'RECEIVER cdrs']);
  for (const partner of [montreal, quebec, other]) await partner.register(oasis);
});
beforeEach(() => {
  montreal.answer = () => ({});
  montreal.seen.length = 0;
});
afterAll(async () => {
  expect(other.pushed()).toEqual([]);
  await Promise.all([montreal, quebec, other].map((one) => one?.close()));
  await oasis?.close();
});

const [first, last] = exampleSession.charging_periods!;
const owner = (partyId: string) => ({ countryCode: 'CA', partyId });
const tokenOf = (party_id: string) => ({ ...exampleSession.cdr_token, party_id });
function sessionOf(id: string, status: Session['status'], more: Partial<Session> = {}): Session {
  const { end_date_time: _end, charging_periods: _periods, ...session } = exampleSession;
  return { ...session, id, status, cdr_token: tokenOf('MTL'), last_updated: '2022-02-01T17:00:00Z', ...more };
}
const completedOf = (id: string) => sessionOf(id, 'COMPLETED', {
  end_date_time: '2022-02-01T19:15:00Z', charging_periods: [first!, last!], last_updated: '2022-02-01T19:15:00Z',
});
const started = (session: Session) =>
  told(sessionStarted, { sessionId: session.id, tokenParty: owner('MTL'), sessionJson: toJsonBytes(session) });
const updated = (session: Session) =>
  told(sessionUpdated, { sessionId: session.id, tokenParty: owner('MTL'), sessionJson: toJsonBytes(session) });
const ended = (session: Session) => told(sessionEnded, {
  sessionId: session.id, tokenParty: owner('MTL'), sessionJson: toJsonBytes(session), locationJson: toJsonBytes(exampleLocation),
  tariffJson: toJsonBytes(exampleTariff), tariffVersion: 1, tokenJson: toJsonBytes(exampleToken), energyWh: '12400',
});
const issued = (sessionId: string, partyId = 'MTL') => {
  const cdr: Cdr = { ...exampleCdr, id: `${sessionId}-1`, session_id: sessionId, cdr_token: tokenOf(partyId) };
  return told(cdrIssued, { cdrId: cdr.id, sessionId, credit: false, tokenParty: owner(partyId), cdrJson: toJsonBytes(cdr) });
};
const tell = (...facts: Fact[]) => oasis.neighbours.tell(...facts);
const waiting = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.findLast(({ name }) => name === 'Montreal')!.waiting;

test('SES-01, CDR-18: a Session goes by PUT and then by PATCH, and its CDR after COMPLETED was acknowledged, though it is told before that', async () => {
  await tell(started(sessionOf('ONE', 'ACTIVE')));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/ONE']);
  await expect.poll(waiting).toBe(0);
  await tell(issued('ONE'));
  await expect.poll(waiting).toBe(1);
  await tell(
    updated(
      sessionOf('ONE', 'ACTIVE', { kwh: 12.4, charging_periods: [first!], last_updated: '2022-02-01T19:00:00Z' }),
    ),
  );
  await expect.poll(() => montreal.pushed()).toHaveLength(2);
  await expect.poll(waiting).toBe(1);
  await tell(ended(completedOf('ONE')));
  await expect
    .poll(() => montreal.pushed())
    .toEqual(['PUT /sessions/CA/BCT/ONE', 'PATCH /sessions/CA/BCT/ONE', 'PATCH /sessions/CA/BCT/ONE', 'POST /cdrs']);
  expect(montreal.seen[2]!.body).toMatchObject({ status: 'COMPLETED', charging_periods: [last] });
  await expect.poll(waiting).toBe(0);
});

test('SES-03: a PATCH whose answer was lost is not sent again: the whole Session goes by PUT, as it is by then', async () => {
  await tell(started(sessionOf('LOST', 'ACTIVE')));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/LOST']);
  await expect.poll(waiting).toBe(0);
  montreal.seen.length = 0;
  montreal.answer = () => (montreal.seen.length === 1 ? 'hang up' : {});
  await tell(updated(sessionOf('LOST', 'ACTIVE', { kwh: 12.4, charging_periods: [first!], last_updated: '2022-02-01T19:00:00Z' })));
  await expect.poll(() => montreal.pushed()).toEqual(['PATCH /sessions/CA/BCT/LOST', 'PUT /sessions/CA/BCT/LOST']);
  await expect.poll(waiting).toBe(0);
  await tell(ended(completedOf('LOST')));
  await expect.poll(() => montreal.pushed()).toEqual([
    'PATCH /sessions/CA/BCT/LOST', 'PUT /sessions/CA/BCT/LOST', 'PATCH /sessions/CA/BCT/LOST',
  ]);
  expect((montreal.seen[1]!.body as Session).charging_periods).toEqual([first]);
  expect((montreal.seen[2]!.body as Session).charging_periods).toEqual([last]);
});

test('SES-01: Sessions that a link left open at its partner are told by the next one, as they are by then, each before its CDR', async () => {
  const ofThese = () => montreal.seen.flatMap(({ what, body, headers }) => {
    const { id, session_id = id, status = 'CDR' } = (body ?? {}) as Partial<Session & Cdr>;
    // What was under way over a former link may come as well.
    if (headers.authorization !== authorization(montreal.given)) return [];
    return what.startsWith('P') && ['LEFT', 'UNSENT', 'DONE'].includes(session_id!) ? [`${what.split('/')[0]}${session_id} ${status}`] : [];
  });
  await tell(started(sessionOf('LEFT', 'ACTIVE')), started(sessionOf('UNSENT', 'ACTIVE')), started(completedOf('DONE')));
  await expect.poll(() => ofThese().toSorted()).toEqual(['PUT DONE COMPLETED', 'PUT LEFT ACTIVE', 'PUT UNSENT ACTIVE']);
  await expect.poll(waiting).toBe(0);
  montreal.asksForToken = true;
  // It starts over while it takes nothing, and ends that link with a charge still running.
  montreal.answer = () => ({ http: 503, status: 3000 });
  await tell(ended(completedOf('UNSENT')));
  await expect.poll(() => montreal.pushed('PATCH').length).toBeGreaterThan(0);
  montreal.given = 'of-the-second-link';
  expect(await montreal.register(oasis)).toMatchObject({ status_code: 1000 });
  montreal.seen.length = 0;
  montreal.answer = () => ({});
  await expect.poll(() => ofThese().toSorted()).toEqual(['PUT LEFT ACTIVE', 'PUT UNSENT COMPLETED']);
  await expect.poll(waiting).toBe(0);
  await call(oasis, '/ocpi/2.2.1/credentials', { token: montreal.token, method: 'DELETE' });
  montreal.seen.length = 0;
  await tell(ended(completedOf('LEFT')), issued('LEFT'));
  for (const context of ['sessions', 'cdr-ledger'] as const) await heard(oasis, context, 'LEFT');
  montreal.given = 'of-the-third-link';
  expect(await montreal.register(oasis)).toMatchObject({ status_code: 1000 });
  await expect.poll(ofThese).toEqual(['PUT LEFT COMPLETED', 'POST LEFT CDR']);
  await expect.poll(waiting).toBe(0);
});

test('the CDR of a Session that the partner refuses, and that of a partner without Sessions, wait for nothing', async () => {
  montreal.answer = (what) => (what.includes('/sessions/') ? { status: 2001 } : {});
  await tell(started(sessionOf('REFUSED', 'ACTIVE')));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/REFUSED']);
  await expect.poll(waiting).toBe(0);
  await tell(issued('REFUSED'), issued('UNHEARD-OF', 'QBC'));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/REFUSED', 'POST /cdrs']);
  await expect.poll(() => quebec.pushed()).toEqual(['POST /cdrs']);
});

test('the CDR of a Session that never ends at the partner goes alone after its time', async () => {
  await tell(started(sessionOf('ENDLESS', 'ACTIVE')));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/ENDLESS']);
  await expect.poll(waiting).toBe(0);
  await oasis.gateway.stop();
  const file = oasis.platform.env.ROAMWATT_CONFIG!;
  const { ocpi, ...settings } = JSON.parse(readFileSync(file, 'utf8')) as { ocpi: object };
  writeFileSync(file, JSON.stringify({ ...settings, ocpi: { ...ocpi, cdr_waits_ms: 300 } }));
  await oasis.restart();
  await tell(issued('ENDLESS'));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /sessions/CA/BCT/ENDLESS', 'POST /cdrs']);
});

test('after an outage that was longer than a CDR waits each goes behind its Session all the same', async () => {
  const ids = Array.from({ length: 6 }, (_, n) => `DARK-${n}`);
  montreal.answer = () => ({ http: 401, status: 2000 });
  await tell(...ids.flatMap((id) => [started(completedOf(id)), issued(id)]));
  await expect.poll(() => montreal.pushed('POST /cdrs').length).toBeGreaterThan(0);
  await expect.poll(waiting).toBe(12);
  montreal.seen.length = 0;
  montreal.answer = () => ({});
  await expect.poll(waiting).toBe(0);
  const order = montreal.seen.map(({ body }) => (body as Session & Cdr).session_id ?? (body as Session).id);
  for (const id of ids) expect(montreal.seen[order.indexOf(id)]!.what).toBe(`PUT /sessions/CA/BCT/${id}`);
});
