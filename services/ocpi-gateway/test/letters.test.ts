import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fact, Refused, told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { type DeadLetter, endPartner, invitePartner, listDeadLetters, listPartners, renewPartner, replayDeadLetters } from '#contracts/ocpi-gateway';
import { tariffPublished } from '#contracts/tariff-engine';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { authorization, type Cdr, exampleCdr, exampleTariff } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// What an operator sees of a partner and does about it.

const bct = { countryCode: 'CA', partyId: 'BCT' };
let oasis: Side;
let partner: HandPartner;
let partnerId: string;

beforeAll(async () => {
  oasis = await openSide({});
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER tariffs', 'RECEIVER cdrs']);
  await partner.register(oasis);
  ({ partnerId } = (await view())!);
});
afterAll(async () => {
  await partner?.close();
  await oasis?.close();
});

const ask = () => oasis.neighbours.bus;
const view = async () => (await ask().ask(listPartners, {})).partners.find(({ name }) => name === 'Montreal');
const published = (id: string, at: string): Fact => told(tariffPublished, {
  own: true, party: bct, tariffId: id, version: 2, tariffJson: toJsonBytes({ ...exampleTariff, id, last_updated: at }), lastUpdated: at,
});
const letters = async () => (await ask().ask(listDeadLetters, { partnerId, limit: 100 })).letters;
const idOf = ({ key }: DeadLetter) => `${key!.module} ${key!.objectId}`;

test('a dead letter shows the body and the reason, and what waits shows since when and how often it failed', async () => {
  partner.answer = (what) => (what.includes('/tariffs/') ? { status: 2001 } : {});
  await oasis.neighbours.tell(published('T-1', '2022-02-02T00:00:00Z'));
  await expect.poll(letters).toHaveLength(1);
  const [letter] = await letters();
  expect(letter).toMatchObject({ key: { module: 'tariffs', objectId: 'T-1' }, reason: 'HTTP 200, 2001: said 2001' });
  expect(fromJsonBytes(letter!.bodyJson!)).toMatchObject({ id: 'T-1', last_updated: '2022-02-02T00:00:00Z' });
  expect(Date.parse(letter!.since)).toBeGreaterThan(0);

  partner.answer = () => ({ http: 503, status: 3000 });
  await oasis.neighbours.tell(published('T-2', '2022-02-02T00:00:00Z'));
  await expect.poll(async () => (await view())!.failedAttempts).toBeGreaterThan(1);
  expect(await view()).toMatchObject({ waiting: 1, deadLetters: 1, waitingSince: expect.stringMatching(/^\d{4}-/) });
  partner.answer = () => ({});
  await expect.poll(async () => (await view())!.waiting).toBe(0);
  expect(await view()).toMatchObject({ failedAttempts: 0 });
  expect((await view())!.waitingSince).toBeUndefined();
});

test('TRN-91: a replay sends the object as it is now, a CDR as it was issued', async () => {
  const cdr: Cdr = { ...exampleCdr, id: 'C-1', session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } };
  partner.answer = () => ({ status: 2001 });
  await oasis.neighbours.tell(
    told(cdrIssued, {
      cdrId: cdr.id,
      sessionId: 'S-none',
      credit: false,
      tokenParty: { countryCode: 'CA', partyId: 'MTL' },
      cdrJson: toJsonBytes(cdr),
    }),
    published('T-1', '2022-02-03T00:00:00Z'),
    published('T-3', '2022-02-03T00:00:00Z'),
  );
  await expect.poll(async () => (await letters()).map(idOf).sort()).toEqual(['cdrs C-1', 'tariffs T-1', 'tariffs T-3']);
  const pages: string[] = [];
  for (let after: DeadLetter['key']; ;) {
    const { letters: page, total } = await ask().ask(listDeadLetters, { partnerId, limit: 2, ...(after ? { after } : {}) });
    if (page.length === 0) break;
    expect(total).toBe(3);
    pages.push(...page.map(idOf));
    after = page.at(-1)!.key;
  }
  expect(pages.toSorted()).toEqual(['cdrs C-1', 'tariffs T-1', 'tariffs T-3']);

  partner.answer = () => ({});
  partner.seen.length = 0;
  expect(await ask().ask(replayDeadLetters, { partnerId, module: 'cdrs', objectId: 'C-1' })).toMatchObject({ queued: 1 });
  await expect.poll(() => partner.pushed()).toEqual(['POST /cdrs']);
  expect(partner.seen[0]!.body).toEqual(cdr);
  expect(await ask().ask(replayDeadLetters, { partnerId })).toMatchObject({ queued: 2 });
  await expect
    .poll(() => partner.pushed('PUT /tariffs/CA/BCT/T-').toSorted())
    .toEqual(['PUT /tariffs/CA/BCT/T-1', 'PUT /tariffs/CA/BCT/T-3']);
  expect(partner.seen.find(({ what }) => what.endsWith('T-1'))!.body).toMatchObject({ last_updated: '2022-02-03T00:00:00Z' });
  expect(await letters()).toEqual([]);
  await expect(ask().ask(replayDeadLetters, { partnerId, module: 'cdrs', objectId: 'C-1' })).rejects.toThrow('unknown-letter');
});

test('CRE-11, CRE-06: an operator renews the tokens of both sides; a partner that refuses keeps the old ones', async () => {
  const before = partner.token;
  partner.answer = () => ({ status: 3001 });
  const refused = await ask().ask(renewPartner, { partnerId }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Refused);
  expect((refused as Refused).code).toBe('registration-refused');
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token: before })).status_code).toBe(1000);

  partner.answer = (what) => (what === 'PUT /credentials' ? 'hang up' : {});
  for (let n = 0; n < 3; n += 1) await expect(ask().ask(renewPartner, { partnerId })).rejects.toThrow('partner-unreachable');
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token: before })).status_code, 'CRE-07: no answer came').toBe(1000);

  partner.answer = (what) => (what === 'PUT /credentials' ? { data: { ...partner.credentials(), token: 'renewed-MTL' } } : {});
  expect(await ask().ask(renewPartner, { partnerId })).toMatchObject({ state: 'registered' });
  const { token } = partner.seen.findLast(({ what }) => what === 'PUT /credentials')!.body as { token: string };
  expect(token).not.toBe(before);
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token })).status_code).toBe(1000);
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token: before })).http).toBe(401);
  await oasis.neighbours.tell(published('T-4', '2022-02-05T00:00:00Z'));
  await expect.poll(() => partner.pushed('PUT /tariffs/CA/BCT/T-4')).toHaveLength(1);
  expect(partner.seen.findLast(({ what }) => what.endsWith('T-4'))!.headers['authorization']).toBe(
    `Token ${Buffer.from('renewed-MTL').toString('base64')}`,
  );
  partner.token = token;
});

/** Every row of every service's tables, bytes as text and in hexadecimal. */
async function stolen(): Promise<string> {
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const { rows: tables } = await db.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await db.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    texts.push(...rows.map(({ row }) => row));
  }
  await db.close();
  return texts.join('\n');
}

test('CRE-09 a stolen database opens no door: no token is in it, neither ours at a partner nor a partner\'s here, nor one for a registration', async () => {
  const { tokenA } = await ask().ask(invitePartner, { name: 'Invited' });
  const rows = await stolen();
  expect(rows).toContain('Montreal');
  for (const token of [tokenA, partner.token, 'renewed-MTL', 'token-of-MTL']) {
    const bytes = Buffer.from(token);
    for (const form of [token, bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) expect(rows).not.toContain(form);
  }
});

test('CRE-11, CRE-08: an operator ends a link: its token is dead at once, and the partner is told', async () => {
  partner.answer = () => ({});
  expect(await ask().ask(endPartner, { partnerId })).toMatchObject({ told: true });
  expect(partner.pushed('DELETE /credentials')).toHaveLength(1);
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token: partner.token })).http).toBe(401);
  expect(await view()).toMatchObject({ state: 'unregistered' });
  await expect(ask().ask(endPartner, { partnerId: 'nobody' })).rejects.toThrow('unknown-partner');
});

test('CRE-08: a link that ends while its credentials are renewed stays ended', async () => {
  const gone = await HandPartner.open('Gone', 'GON', 'EMSP', ['RECEIVER tariffs', 'RECEIVER cdrs']);
  await gone.register(oasis);
  const its = async () => (await ask().ask(listPartners, {})).partners.find(({ name }) => name === 'Gone')!;
  gone.answer = async (what) => {
    if (what !== 'PUT /credentials') return {};
    await ask().ask(endPartner, { partnerId: (await its()).partnerId });
    return { data: gone.credentials() };
  };
  await expect(ask().ask(renewPartner, { partnerId: (await its()).partnerId })).rejects.toThrow('not-registered');
  expect(await its()).toMatchObject({ state: 'unregistered' });
  await gone.close();
});

test('CRE-07: of a PUT of credentials and its repeat that overtakes it, the token that the partner still takes is kept', async () => {
  const twice = await HandPartner.open('Twice', 'TWC', 'EMSP', ['RECEIVER tariffs', 'RECEIVER cdrs']);
  await twice.register(oasis);
  const put = (given: string) => {
    const body = { ...twice.credentials(), token: given };
    return call(oasis, '/ocpi/2.2.1/credentials', { token: twice.token, method: 'PUT', body });
  };
  let repeat: Promise<unknown> | undefined;
  let isOld = false;
  twice.admits = async (header) => {
    if (header !== authorization('first')) return true;
    if (isOld) return false;
    // The details, after the versions: the repeat is through before they are there, and ends the token of the first.
    if (twice.seen.filter(({ headers }) => headers.authorization === header).length === 2) {
      repeat = put('second');
      expect(await repeat).toMatchObject({ status_code: 1000 });
      isOld = true;
    }
    return true;
  };
  expect((await put('first')).status_code).not.toBe(1000);
  twice.seen.length = 0;
  await oasis.neighbours.tell(published('T-TWICE', '2022-02-04T00:00:00Z'));
  await expect.poll(() => twice.seen.find(({ what }) => what.includes('T-TWICE'))?.headers.authorization).toBe(authorization('second'));
  await twice.close();
});
