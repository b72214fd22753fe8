import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, busMigrations, connectBus, outbox, startRelay, told } from '#bus';
import { accountCreditChanged } from '#contracts/accounts';
import {
  answerAuthorize, authorize, getToken, issueToken, listTokens, putPartnerToken,
} from '#contracts/tokens-auth';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Token } from '#ocpi';
import { openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

let platform: TestPlatform;
let service: Running;
let bus: Bus;

beforeAll(async () => {
  platform = await testPlatform();
  service = await start(platform.env);
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
});
afterAll(async () => {
  await bus?.close();
  await service?.stop();
  await platform?.drop();
});

const plunk = { countryCode: 'CA', partyId: 'CPK' };
const card = (uid: string, changes: Partial<Token> = {}) => ({
  country_code: 'CA', party_id: 'CPK', uid, type: 'RFID', contract_id: 'CA-CPK-C00000002-H', issuer: 'Carbon Plunk',
  valid: true, whitelist: 'ALLOWED', last_updated: '2022-02-01T17:00:00Z', ...changes,
}) as Token;
const put = (token: Partial<Token> & { uid: string }, patch = false, uid = token.uid) =>
  bus.ask(putPartnerToken, { party: plunk, uid, type: 'RFID', patch, bodyJson: toJsonBytes(token) });
const tap = (idTag: string) => bus.ask(authorize, { idTag, stationId: 'OASIS-L2-01' });

test("a partner's card may charge once it was pushed, whatever the case of its uid", async () => {
  expect(await put(card('04AA'))).toMatchObject({ change: Change.CREATED });
  expect(await tap('04aa')).toMatchObject({ status: 'Accepted', authMethod: 'WHITELIST' });
});

test('the same push again changes nothing; an older one is not taken', async () => {
  await put(card('04BB'));
  expect(await put(card('04BB'))).toMatchObject({ change: Change.UNCHANGED });
  expect(await put(card('04BB', { valid: false, last_updated: '2022-02-01T16:59:59Z' }))).toMatchObject({ change: Change.STALE });
  expect(await tap('04BB')).toMatchObject({ status: 'Accepted' });
});

test('TOK-02 a card that a PATCH made invalid is Blocked', async () => {
  await put(card('04CC'));
  await put({ uid: '04CC', valid: false, last_updated: '2022-02-01T18:00:00Z' }, true);
  expect(await tap('04CC')).toMatchObject({ status: 'Blocked' });
});

test('a PATCH of a token nobody pushed is refused by name', async () => {
  await expect(put({ uid: '04DD', valid: false, last_updated: '2022-02-01T18:00:00Z' }, true)).rejects.toMatchObject({
    code: 'unknown-token',
  });
});

test('a token without its required fields is refused and names them', async () => {
  await expect(put({ uid: '04EE' })).rejects.toMatchObject({ code: 'invalid-object', detail: expect.stringContaining('country_code: is missing') });
  expect(await bus.ask(getToken, { party: plunk, uid: '04EE', type: 'RFID' })).not.toHaveProperty('tokenJson');
});

test('a card that nobody issued is Invalid', async () => {
  expect(await tap('UNHEARD-OF')).toMatchObject({ status: 'Invalid', why: expect.stringContaining('no token') });
});

test('TOK-09 a card with whitelist NEVER is Invalid while its owner cannot be asked', async () => {
  await put(card('04FF', { whitelist: 'NEVER' }));
  expect(await tap('04FF')).toMatchObject({ status: 'Invalid', why: expect.stringContaining('could not be asked') });
});

test('our own tokens are issued once, listed for partners, and answered for', async () => {
  const given = { uid: 'STAFF-1', type: 'RFID', contract_id: 'CA-BCT-C00000001-X', visual_number: '1' };
  const issue = () => bus.ask(issueToken, { tokenJson: toJsonBytes(given) });
  expect(await issue()).toMatchObject({ change: Change.CREATED });
  expect(await issue()).toMatchObject({ change: Change.UNCHANGED });
  const page = await bus.ask(listTokens, { page: { offset: 0, limit: 10 } });
  expect(page.total).toBe(1);
  expect(fromJsonBytes<Token>(page.objectsJson[0]!)).toMatchObject({ ...given, party_id: 'BCT', issuer: 'Energy OASIS', valid: true });
  const { authorizationInfoJson } = await bus.ask(answerAuthorize, { uid: 'staff-1', type: 'RFID' });
  expect(fromJsonBytes(authorizationInfoJson)).toMatchObject({ allowed: 'ALLOWED', authorization_reference: expect.any(String) });
});

test('TOK-04 TOK-08 a token of ours may charge wherever a partner asks for, known to us or not', async () => {
  const location = { location_id: 'NEVER-HEARD-OF', evse_uids: ['CLOSED-NOW'] };
  const { authorizationInfoJson } = await bus.ask(answerAuthorize, { uid: 'STAFF-1', type: 'RFID', locationReferencesJson: toJsonBytes(location) });
  expect(fromJsonBytes(authorizationInfoJson)).toMatchObject({ allowed: 'ALLOWED', location });
});

test('TOK-04 without credit a token of ours is answered NO_CREDIT and its card is Blocked, until there is some again', async () => {
  const db = await openDatabase({ url: platform.databaseUrl, schema: 'cdr_ledger', migrations: busMigrations });
  const ledger = outbox('cdr-ledger', db);
  const relay = startRelay(bus, ledger);
  const credit = (exhausted: boolean) => db.tx((tx) => ledger.tell(tx, [told(accountCreditChanged, {
    accountId: 'a1', contractKey: 'ca-bct-c00000009-x', exhausted, at: '2022-02-01T18:00:00Z',
  })]));
  const broke = { uid: 'BROKE-1', type: 'RFID', contract_id: 'CA-BCT-C00000009-X' };
  await bus.ask(issueToken, { tokenJson: toJsonBytes(broke) });
  const party = { countryCode: 'CA', partyId: 'BCT' };
  const found = () => bus.ask(getToken, { party, uid: 'BROKE-1', type: 'RFID' });
  const asked = async () => fromJsonBytes<{ allowed: string; authorization_reference?: string }>(
    (await bus.ask(answerAuthorize, { uid: 'broke-1', type: 'RFID' })).authorizationInfoJson);
  expect(await found()).toMatchObject({ noCredit: false });
  await credit(true);
  await expect.poll(async () => (await asked()).allowed).toBe('NO_CREDIT');
  expect(await asked()).not.toHaveProperty('authorization_reference');
  expect(await found()).toMatchObject({ noCredit: true });
  expect(await tap('BROKE-1')).toMatchObject({ status: 'Blocked', why: expect.stringContaining('NO_CREDIT') });
  await put(card('04A1', { contract_id: 'CA-BCT-C00000009-X' }));
  expect(await tap('04A1')).toMatchObject({ status: 'Accepted' });
  await credit(false);
  await expect.poll(async () => (await asked()).allowed).toBe('ALLOWED');
  expect(await tap('BROKE-1')).toMatchObject({ status: 'Accepted' });
  await relay.close();
  await db.close();
});

test("TOK-06 a partner's question about a token that is none of ours is refused", async () => {
  await expect(bus.ask(answerAuthorize, { uid: '04AA', type: 'RFID' })).rejects.toMatchObject({ code: 'unknown-token' });
});

test('a request without its ids is refused before it is handled', async () => {
  await expect(bus.ask(authorize, { idTag: '', stationId: 'OASIS-L2-01' })).rejects.toMatchObject({
    code: 'malformed', detail: 'idTag is empty',
  });
});
