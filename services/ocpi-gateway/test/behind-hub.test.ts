import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { told } from '#bus';
import { listPartners, partyLinkChanged } from '#contracts/ocpi-gateway';
import { cdrIssued } from '#contracts/cdr-ledger';
import { sessionEnded, sessionStarted } from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import { type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, routingHeaders, type Session } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, heard, openSide, type Side } from './side.ts';

// An eMSP that a CPO reaches through a hub, by a link of its own, or not at all.

let oasis: Side;
let hub: HandPartner;
let plunk: HandPartner;
/** What was told of links, as `CPK yes`. */
const links: string[] = [];
let watching: { stop(): void };

beforeAll(async () => {
  oasis = await openSide({});
  watching = await oasis.neighbours.bus.watch(partyLinkChanged, ({ party, linked }) => void links.push(`${party!.partyId} ${linked ? 'yes' : 'no'}`));
  hub = await HandPartner.open('Open Hub', 'HUB', 'HUB', ['RECEIVER sessions', 'RECEIVER cdrs', 'SENDER tokens']);
  plunk = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', ['RECEIVER sessions', 'RECEIVER cdrs', 'SENDER tokens']);
  await hub.register(oasis);
  await vi.waitFor(() => expect(links).toEqual(['HUB yes']), { timeout: 60_000 });
});
afterAll(async () => {
  watching?.stop();
  await Promise.all([hub?.close(), plunk?.close()]);
  await oasis?.close();
});
beforeEach(() => {
  links.length = 0;
  hub.seen.length = 0;
});

let said = 0;
const behind = (status: string, partyId = 'CPK') => call(oasis, `/ocpi/2.2.1/receiver/hubclientinfo/CA/${partyId}`, {
  token: hub.token, method: 'PUT',
  body: { country_code: 'CA', party_id: partyId, role: 'EMSP', status, last_updated: `2022-02-01T17:00:${String(said++).padStart(2, '0')}Z` },
});
const leaves = (partner: HandPartner) => call(oasis, '/ocpi/2.2.1/credentials', { token: partner.token, method: 'DELETE' });

test('it is told that a party can be reached, and when its last way ends: its own or that of a hub', async () => {
  await plunk.register(oasis);
  await expect.poll(() => links).toEqual(['CPK yes']);
  await leaves(plunk);
  await expect.poll(() => links.slice(1)).toEqual(['CPK no']);
  await behind('CONNECTED');
  await expect.poll(() => links.slice(2)).toEqual(['CPK yes']);
  await plunk.register(oasis);
  await expect.poll(() => links.slice(3)).toEqual(['CPK yes']);
  await leaves(plunk);
  await expect.poll(() => links.slice(4)).toEqual(['CPK yes']);
  await behind('OFFLINE');
  await behind('SUSPENDED');
  await expect.poll(() => links.slice(5)).toEqual(['CPK yes', 'CPK no']);
  await behind('CONNECTED');
  await expect.poll(() => links.slice(7)).toEqual(['CPK yes']);
});

const { end_date_time: _end, total_cost: _cost, charging_periods: _periods, ...begun } = exampleSession;
const active = (id: string): Session =>
  ({ ...begun, id, kwh: 0, status: 'ACTIVE', cdr_token: { ...exampleSession.cdr_token, party_id: 'CPK' }, last_updated: '2022-02-01T17:00:00Z' });
const tokenParty = { countryCode: 'CA', partyId: 'CPK' };

test('SES-06: of a party behind a hub that was SUSPENDED and is back, what became of its Sessions goes to it', async () => {
  for (const id of ['S-1', 'S-2'])
    await oasis.neighbours.tell(told(sessionStarted, { sessionId: id, tokenParty, sessionJson: toJsonBytes(active(id)) }));
  await expect.poll(() => hub.pushed().toSorted()).toEqual(['PUT /sessions/CA/BCT/S-1', 'PUT /sessions/CA/BCT/S-2']);
  await expect.poll(async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Open Hub')?.waiting).toBe(0);
  await behind('SUSPENDED');
  const ended: Session = { ...active('S-1'), kwh: 9, status: 'COMPLETED', end_date_time: '2022-02-01T18:00:00Z', last_updated: '2022-02-01T18:00:00Z' };
  await oasis.neighbours.tell(told(sessionEnded, {
    sessionId: 'S-1', tokenParty, sessionJson: toJsonBytes(ended), locationJson: toJsonBytes(exampleLocation),
    tariffJson: toJsonBytes(exampleTariff), tariffVersion: 1, tokenJson: toJsonBytes(exampleToken), energyWh: '9000',
  }));
  const its = { ...active('S-3'), cdr_token: { ...exampleSession.cdr_token, party_id: 'HUB' } };
  await oasis.neighbours.tell(told(sessionStarted, { sessionId: 'S-3', tokenParty: { ...tokenParty, partyId: 'HUB' }, sessionJson: toJsonBytes(its) }));
  await expect.poll(() => hub.pushed()).toContain('PUT /sessions/CA/BCT/S-3');
  await heard(oasis, 'sessions', 'S-1');
  hub.seen.length = 0;
  await behind('CONNECTED');
  await expect.poll(() => hub.seen.map(({ what, body }) => `${what} ${(body as Session).status}`)).toEqual(['PATCH /sessions/CA/BCT/S-1 COMPLETED']);
  await expect.poll(() => links).toEqual(['CPK no', 'CPK yes']);
});

test('CMD-06, HUB-23: behind a hub an eMSP uses its own tokens, and not those of another there', async () => {
  await behind('CONNECTED', 'BAD');
  oasis.neighbours.answers.startSession = async () => ({ result: 'ACCEPTED' });
  oasis.neighbours.own.locations.push({ ...exampleLocation, id: 'L' });
  const start = (from: string) => call(oasis, '/ocpi/2.2.1/receiver/commands/START_SESSION', {
    token: hub.token, method: 'POST', headers: routingHeaders({ from: { country_code: 'CA', party_id: from } }),
    body: { response_url: `${hub.base}/result`, token: { ...exampleToken, country_code: 'CA', party_id: 'CPK' }, location_id: 'L', evse_uid: 'L2-01' },
  });
  expect(await start('BAD')).toMatchObject({ http: 200, status_code: 2001, status_message: 'token: CA*CPK is not CA*BAD, which OCPI-from-… names' });
  expect(oasis.neighbours.orders).toEqual([]);
  expect((await start('CPK')).data).toMatchObject({ result: 'ACCEPTED' });
  await behind('SUSPENDED', 'BAD');
  await expect.poll(() => links).toContain('BAD no');
});

test('a CDR that waits behind a hub for a party that comes to have a link of its own goes by that, and what waits there when it ends by the hub', async () => {
  const issued = (id: string) => told(cdrIssued, {
    cdrId: id, sessionId: 'S-none', credit: false, tokenParty,
    cdrJson: toJsonBytes({ ...exampleCdr, id, session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, party_id: 'CPK' } }),
  });
  const posted = (partner: HandPartner) => partner.seen.filter(({ what }) => what === 'POST /cdrs').map(({ body }) => (body as Cdr).id);
  hub.answer = () => ({ status: 4001 });
  await oasis.neighbours.tell(issued('MOVED-1'));
  await expect.poll(() => posted(hub)).toContain('MOVED-1');
  plunk.seen.length = 0;
  plunk.answer = () => ({});
  await plunk.register(oasis);
  await expect.poll(() => posted(plunk)).toEqual(['MOVED-1']);
  plunk.answer = () => ({ http: 401, status: 2000 });
  await oasis.neighbours.tell(issued('MOVED-2'));
  await expect.poll(() => posted(plunk)).toContain('MOVED-2');
  hub.answer = () => ({});
  hub.seen.length = 0;
  await leaves(plunk);
  await expect.poll(() => posted(hub)).toEqual(['MOVED-2']);
  await expect.poll(() => links).toEqual(['CPK yes', 'CPK yes']);
});

test('a link that had ended before an upgrade is told of after it', async () => {
  await leaves(hub);
  await expect.poll(() => links.toSorted()).toEqual(['CPK no', 'HUB no']);
  await oasis.gateway.stop();
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  await db.query(`DELETE FROM due WHERE kind = 'tell-links'`);
  await db.query(`SELECT due_add('links told at an upgrade', 'links told', 'tell-links', '{}', 0, NULL)`);
  await db.close();
  links.length = 0;
  await oasis.restart();
  await expect.poll(() => links.toSorted()).toEqual(['BAD no', 'CPK no', 'HUB no']);
});
