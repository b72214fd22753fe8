import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, busMigrations, connectBus, outbox, startRelay, told } from '#bus';
import { accountCreditChanged } from '#contracts/accounts';
import {
  answerAuthorize, authorize, dropHeldTokens, getToken, issueToken, listContestedUids, listTokens, putPartnerToken,
} from '#contracts/tokens-auth';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import { resolveStation } from '#contracts/locations';
import { authorizeAtPartner, SendOutcome } from '#contracts/ocpi-gateway';
import { Change } from '#contracts/party';
import { eraseContract, forgetters, type Holder as ErasureHolder, previewErasure } from '#contracts/erasure';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Token } from '#ocpi';
import { idTagOf } from '#ocpp';
import { openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { instant, rfc3339 } from '#time';
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
const tap = (idTag: string, stationId = 'OASIS-L2-01') => bus.ask(authorize, { idTag, stationId });

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

test('an older token takes the place of one only as its owner was asked, and nothing newer came meanwhile', async () => {
  const asked = (replaces: string) => bus.ask(putPartnerToken, {
    party: plunk, uid: '04BE', type: 'RFID', patch: false, replaces,
    bodyJson: toJsonBytes(card('04BE', { valid: false, last_updated: '2022-02-01T16:00:00Z' })),
  });
  await put(card('04BE'));
  expect(await asked('2022-02-01T16:59:00Z')).toMatchObject({ change: Change.STALE });
  expect(await asked('2022-02-01T17:00:00Z')).toMatchObject({ change: Change.UPDATED });
  expect(await tap('04BE')).toMatchObject({ status: 'Blocked' });
});

test('what a list says of a card, or that it has none, gives way to what came since it was asked for', async () => {
  const [before, after] = [-60_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const key = { party: plunk, keys: ['rfid 04bf'] };
  const listed = (askedAt: string, lastUpdated: string) => bus.ask(putPartnerToken, {
    party: plunk, uid: '04BF', type: 'RFID', patch: false, askedAt,
    bodyJson: toJsonBytes(card('04BF', { valid: false, last_updated: lastUpdated })),
  });
  await put(card('04BF'));
  expect(await listed(before!, '2022-02-01T17:00:00Z')).toMatchObject({ change: Change.STALE });
  expect(await bus.ask(dropHeldTokens, { ...key, askedAt: before! })).toMatchObject({ keys: [] });
  expect(await tap('04BF')).toMatchObject({ status: 'Accepted' });
  expect(await bus.ask(dropHeldTokens, { ...key, askedAt: after! })).toMatchObject({ keys: key.keys });
  expect(await tap('04BF')).toMatchObject({ status: 'Blocked' });
  expect(await listed(before!, '2022-02-01T17:00:01Z')).toMatchObject({ change: Change.UPDATED });
});

test('TOK-02 a card that a PATCH made invalid is Blocked', async () => {
  await put(card('04CC'));
  await put({ uid: '04CC', valid: false, last_updated: '2022-02-01T18:00:00Z' }, true);
  expect(await tap('04CC')).toMatchObject({ status: 'Blocked' });
});

test('TRN-60 TRN-61 a PUT replaces the whole token, a PATCH what it says', async () => {
  const held = async () => fromJsonBytes<Token>((await bus.ask(getToken, { party: plunk, uid: '04CE', type: 'RFID' })).tokenJson!);
  const group = card('04CE', { group_id: 'FLEET', visual_number: '17' });
  await put(group);
  await put({ uid: '04CE', visual_number: '18', last_updated: '2022-02-01T18:00:00Z' }, true);
  expect(await held()).toEqual({ ...group, visual_number: '18', last_updated: '2022-02-01T18:00:00Z' });
  const bare = card('04CE', { last_updated: '2022-02-01T19:00:00Z' });
  await put(bare);
  expect(await held()).toEqual(bare);
});

test('a PATCH of a token nobody pushed is refused by name', async () => {
  await expect(put({ uid: '04DD', valid: false, last_updated: '2022-02-01T18:00:00Z' }, true)).rejects.toMatchObject({
    code: 'unknown-token',
  });
});

test('a token without its required fields is refused and names them', async () => {
  await expect(put({ uid: '04EE' })).rejects.toMatchObject({
    code: 'invalid-object',
    detail: expect.stringContaining('country_code: is missing'),
  });
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
  const { authorizationInfoJson } = await bus.ask(answerAuthorize, {
    uid: 'STAFF-1',
    type: 'RFID',
    locationReferencesJson: toJsonBytes(location),
  });
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

test("what an owner answers in real time decides; without a word of it ALLOWED_OFFLINE goes by the list", async () => {
  const info = (allowed: string) => ({
    outcome: SendOutcome.ANSWERED,
    authorizationInfoJson: toJsonBytes({ allowed, token: card('04F1'), authorization_reference: 'REF-1' }),
  });
  const answers = new Map<string, { outcome: SendOutcome; authorizationInfoJson?: Uint8Array }>([
    ['ALLOWED', info('ALLOWED')], ['EXPIRED', info('EXPIRED')], ['UNKNOWN', { outcome: SendOutcome.ANSWERED }],
    ['DOWN', { outcome: SendOutcome.UNREACHABLE }], ['UNCLEAR', { outcome: SendOutcome.UNCLEAR }],
  ]);
  const asked: string[] = [];
  const gateway = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'ocpi-gateway' });
  const answering = await gateway.answer(authorizeAtPartner, (questions) => questions.map(({ uid, timeoutMs }) => {
    asked.push(`${uid} ${timeoutMs}`);
    return answers.get(uid.split('-')[1]!)!;
  }));
  for (const whitelist of ['NEVER', 'ALLOWED_OFFLINE'] as const) {
    for (const what of answers.keys()) await put(card(`${whitelist}-${what}`, { whitelist }));
  }
  expect(await tap('never-allowed')).toMatchObject({ status: 'Accepted', authMethod: 'AUTH_REQUEST', authorizationReference: 'REF-1' });
  expect(asked).toEqual(['NEVER-ALLOWED 5000']);
  expect(await tap('NEVER-EXPIRED')).toMatchObject({ status: 'Expired', refusal: 'owner-says-no' });
  expect(await tap('NEVER-UNKNOWN')).toMatchObject({ status: 'Invalid', refusal: 'owner-does-not-know-it' });
  for (const what of ['DOWN', 'UNCLEAR']) {
    expect(await tap(`NEVER-${what}`)).toMatchObject({ status: 'Invalid', refusal: 'owner-silent' });
    expect(await tap(`ALLOWED_OFFLINE-${what}`)).toMatchObject({ status: 'Accepted', authMethod: 'WHITELIST' });
  }
  expect(await tap('ALLOWED_OFFLINE-UNKNOWN')).toMatchObject({ status: 'Invalid', refusal: 'owner-does-not-know-it' });
  await answering.stop();
  await gateway.close();
});

test('a uid of more than 20 characters is known by its alias, too; its own uid is what is answered and told', async () => {
  const long = 'A-UID-OF-MORE-THAN-TWENTY-CHARACTERS';
  await put(card(long));
  const { tokenJson } = await tap(idTagOf(long).toLowerCase());
  expect(fromJsonBytes<Token>(tokenJson!).uid).toBe(long);
  expect(await tap(long)).toMatchObject({ status: 'Accepted' });
});

test('a uid that two parties issued is refused, listed for the operator, and charges by the priority of an agreement', async () => {
  const contests = async () => (await bus.ask(listContestedUids, { limit: 10 })).uids;
  await put(card('04D0'));
  expect(await contests()).toEqual([]);
  const other = card('04d0', { party_id: 'XYZ' });
  await bus.ask(putPartnerToken, {
    party: { countryCode: 'CA', partyId: 'XYZ' },
    uid: '04d0',
    type: 'RFID',
    patch: false,
    bodyJson: toJsonBytes(other),
  });
  expect(await contests()).toMatchObject([{ uid: '04D0', refused: 0 }]);
  expect(await tap('04D0')).toMatchObject({ status: 'Invalid', refusal: 'uid-of-several-parties' });
  expect(await contests()).toMatchObject([
    { uid: '04D0', refused: 1, lastStationId: 'OASIS-L2-01', parties: [{ partyId: 'CPK' }, { partyId: 'XYZ' }] },
  ]);
  // An alias that somebody issued as a uid is in doubt as well.
  const long = 'ANOTHER-UID-OF-MORE-THAN-TWENTY';
  await put(card(long));
  const alias = card(idTagOf(long), { party_id: 'XYZ' });
  await bus.ask(putPartnerToken, {
    party: { countryCode: 'CA', partyId: 'XYZ' },
    uid: alias.uid,
    type: 'RFID',
    patch: false,
    bodyJson: toJsonBytes(alias),
  });
  expect(await tap(alias.uid)).toMatchObject({ status: 'Invalid', refusal: 'uid-of-several-parties' });

  const db = await openDatabase({ url: platform.databaseUrl, schema: 'agreements', migrations: busMigrations });
  const agreements = outbox('agreements', db);
  const relay = startRelay(bus, agreements);
  await db.tx((tx) => agreements.tell(tx, [told(agreementChanged, {
    partner: { countryCode: 'CA', partyId: 'XYZ' }, version: 1, at: '2022-01-01T00:00:00Z',
    agreement: agreementOf({ valid_from: '2022-01', time_zone: 'UTC', grants: { token_priority: 5 } }),
  })]));
  await expect.poll(async () => (await contests())[0]?.countsAs).toMatchObject({ partyId: 'XYZ' });
  expect(fromJsonBytes<Token>((await tap('04D0')).tokenJson!).party_id).toBe('XYZ');
  await relay.close();
  await db.close();
});

test('TOK-07: a token of ours that may not charge everywhere needs the place of the charge, and is allowed its own EVSEs alone', async () => {
  const party = { countryCode: 'CA', partyId: 'BCT' };
  const given = { uid: 'HOME-1', type: 'RFID', contract_id: 'CA-BCT-C00000008-X', language: 'fr' };
  const issue = (evseUids: string[]) =>
    bus.ask(issueToken, { tokenJson: toJsonBytes(given), allowedAt: [{ party, locationId: 'RIVERBEND', evseUids }] });
  expect(await issue(['STALL-1'])).toMatchObject({ change: Change.CREATED });
  expect(await issue(['STALL-1'])).toMatchObject({ change: Change.UNCHANGED });
  expect(await issue(['STALL-1', 'STALL-2'])).toMatchObject({ change: Change.UPDATED });
  const asked = async (references?: object) =>
    fromJsonBytes<object>(
      (
        await bus.ask(answerAuthorize, {
          uid: 'home-1',
          type: 'RFID',
          asker: party,
          ...(references ? { locationReferencesJson: toJsonBytes(references) } : {}),
        })
      ).authorizationInfoJson,
    );
  await expect(asked()).rejects.toMatchObject({ code: 'location-needed' });
  expect(await asked({ location_id: 'riverbend', evse_uids: ['STALL-2', 'STALL-9'] })).toMatchObject({
    allowed: 'ALLOWED',
    location: { location_id: 'riverbend', evse_uids: ['STALL-2'] },
  });
  const elsewhere = await asked({ location_id: 'BURNABY' });
  expect(elsewhere).toMatchObject({ allowed: 'NOT_ALLOWED', info: { language: 'fr' } });
  expect(elsewhere).not.toHaveProperty('location');
  // At a station of ours, whose place nobody says here.
  expect(await tap('HOME-1')).toMatchObject({ status: 'Blocked', refusal: 'not-here' });
});

test("LOC-07: at a private place partners' cards charge only where publish_allowed_to names them, and no owner is told where it is", async () => {
  const place = { id: 'RESIDENTS', publish: false, publish_allowed_to: [{ uid: '04e1', type: 'RFID' }, { group_id: 'HOME' }] };
  const [locations, gateway] = await Promise.all(['locations', 'ocpi-gateway'].map((service) =>
    connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service })));
  await locations!.answer(resolveStation, (asked) => asked.map(({ stationId, stationConnector }) => ({
    party: { countryCode: 'CA', partyId: 'BCT' }, locationId: place.id, evseUid: 'R1', connectorId: '1', stationId, stationConnector,
    locationJson: toJsonBytes(place), evseStatus: 'AVAILABLE', private: true,
  })));
  const asked: { uid: string; knowsWhere: boolean }[] = [];
  await gateway!.answer(authorizeAtPartner, (questions) => questions.map(({ uid, locationReferencesJson }) => {
    asked.push({ uid, knowsWhere: locationReferencesJson !== undefined });
    return { outcome: SendOutcome.ANSWERED, authorizationInfoJson: toJsonBytes({ allowed: 'ALLOWED', token: card(uid) }) };
  }));
  for (const whitelist of ['ALWAYS', 'ALLOWED', 'ALLOWED_OFFLINE', 'NEVER'] as const) {
    await put(card(`VISITOR-${whitelist}`, { whitelist }));
    expect(await tap(`VISITOR-${whitelist}`, 'RESIDENTS-1')).toMatchObject({ status: 'Blocked', refusal: 'not-here', why: expect.stringContaining('private') });
  }
  expect(asked).toEqual([]);
  await put(card('04E1'));
  await put(card('04E2', { group_id: 'home', whitelist: 'NEVER' }));
  await bus.ask(issueToken, { tokenJson: toJsonBytes({ uid: '04E3', type: 'RFID', contract_id: 'CA-BCT-C00000007-X' }) });
  for (const uid of ['04E1', '04E2', '04E3']) expect(await tap(uid, 'RESIDENTS-1')).toMatchObject({ status: 'Accepted' });
  expect(asked).toEqual([{ uid: '04E2', knowsWhere: false }]);
  await locations!.close();
  await gateway!.close();
});

test('4,000 cards that nobody issued are Invalid, and one that somebody issued charges after them', async () => {
  let refused = 0;
  // Not more at once than wait for a connection to the database on a busy machine.
  for (let round = 0; round < 8; round++) {
    const strangers = Array.from({ length: 500 }, (_, n) => ({ idTag: `STRANGE-${round * 500 + n}`, stationId: 'OASIS-L2-01' }));
    const answers = await bus.askMany(authorize, strangers, { timeoutMs: 60_000 });
    refused += answers.filter((answer) => 'refusal' in answer && answer.refusal === 'unknown-card').length;
  }
  expect(refused).toBe(4_000);
  await put(card('04A9'));
  expect(await tap('04A9')).toMatchObject({ status: 'Accepted' });
});

test('a contract to be forgotten is named with the others that its tokens\' uids were issued for', async () => {
  const of = (contract_id: string, changes: Partial<Token> = {}) => card('04F1', { contract_id, ...changes });
  await put(of('CA-CPK-FIRST'));
  await put(of('CA-CPK-second', { last_updated: '2022-02-01T17:00:01Z' }));
  await bus.ask(putPartnerToken, {
    party: plunk, uid: '04f1', type: 'APP_USER', patch: false,
    bodyJson: toJsonBytes(card('04f1', { type: 'APP_USER', contract_id: 'CA-CPK-APP' })),
  });
  const seen = new Map<string, ErasureHolder>();
  const others = forgetters.filter((service) => service !== 'tokens-auth');
  const answering = await Promise.all(others.map((service) => bus.answer(previewErasure(service), (requests) =>
    requests.map(({ holder }) => {
      seen.set(holder!.contractId, holder!);
      return {};
    }))));
  const named = async (contractId: string) => {
    await bus.ask(eraseContract, { party: plunk, contractId, dryRun: true });
    const { tokenUids, otherContractIds } = seen.get(contractId)!;
    return [tokenUids, otherContractIds.map((id) => id.toLowerCase()).sort()];
  };
  expect(await named('CA-CPK-FIRST')).toEqual([[], ['ca-cpk-app', 'ca-cpk-second']]);
  expect(await named('CA-CPK-SECOND')).toEqual([['04F1'], ['ca-cpk-app', 'ca-cpk-first']]);
  expect(await named('CA-CPK-APP')).toEqual([['04f1'], ['ca-cpk-first', 'ca-cpk-second']]);
  await Promise.all(answering.map((one) => one.stop()));
});

test('a request without its ids is refused before it is handled', async () => {
  await expect(bus.ask(authorize, { idTag: '', stationId: 'OASIS-L2-01' })).rejects.toMatchObject({
    code: 'malformed', detail: 'idTag is empty',
  });
});

test('a token that we change is newer than it was, also by a process whose clock is ten minutes behind', async () => {
  const issue = (valid: boolean) => bus.ask(issueToken, { tokenJson: toJsonBytes({ uid: 'LOST-1', contract_id: 'CA-BCT-C00000011-X', valid }) });
  const held = async () => fromJsonBytes<Token>((await bus.ask(getToken, { party: { countryCode: 'CA', partyId: 'BCT' }, uid: 'LOST-1', type: 'RFID' })).tokenJson!);
  expect(await issue(true)).toMatchObject({ change: Change.CREATED });
  const before = await held();
  await service.stop();
  const now = Date.now();
  service = await start({
    ...platform.env, ROAMWATT_CLOCK_EPOCH: rfc3339(now - 600_000), ROAMWATT_CLOCK_STARTED: rfc3339(now),
  });
  expect(await issue(false), 'a lost card is blocked').toMatchObject({ change: Change.UPDATED });
  expect(await issue(false)).toMatchObject({ change: Change.UNCHANGED });
  const after = await held();
  expect(after.valid).toBe(false);
  expect(instant(after.last_updated)).toBeGreaterThan(instant(before.last_updated));
});
