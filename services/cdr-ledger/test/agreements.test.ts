import { afterAll, beforeAll, expect, test } from 'vitest';
import { busMigrations, type Outbox, outbox, type Relay, startRelay, told } from '#bus';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import { getStatement, listStatementLines, verifyLedger } from '#contracts/cdr-ledger';
import { cdrDelivered } from '#contracts/ocpi-gateway';
import { sessionEnded } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { type Database, openDatabase } from '#postgres';
import { exampleTerms, type Statement, type StatementLine, type StatementNotes, termsDigest } from '#settlement';
import { location, session, tariff, token } from './charge.ts';
import { type LedgerPlatform, ledgerPlatform } from './platform.ts';

const partner = { countryCode: 'CA', partyId: 'CPK' };
const at = '2022-02-01T18:00:00Z';

let oasis: LedgerPlatform;
let db: Database;
let agreements: Outbox;
let relay: Relay;

beforeAll(async () => {
  oasis = await ledgerPlatform({}, '2022-03-20T18:21:00Z');
  db = await openDatabase({ url: oasis.databaseUrl, schema: 'agreements', migrations: busMigrations });
  agreements = outbox('agreements', db);
  relay = startRelay(oasis.bus, agreements);
});
afterAll(async () => {
  await relay?.close();
  await db?.close();
  await oasis?.stop();
});

const agree = (version: number, more: Partial<typeof exampleTerms> = {}) => db.tx((tx) => agreements.tell(tx, [
  told(agreementChanged, { partner, version, at, agreement: agreementOf({ ...exampleTerms, ...more }) }),
]));

async function statement(month = '2022-03') {
  const { statementJson, notesJson, text } = await oasis.bus.ask(getStatement, { partner, month });
  return { statement: fromJsonBytes<Statement>(statementJson), notes: fromJsonBytes<StatementNotes>(notesJson), text };
}

test('without an agreement a statement says so, and has no fees', async () => {
  await oasis.tellAsSessions(told(sessionEnded, {
    sessionId: session.id, tokenParty: partner, sessionJson: toJsonBytes(session), locationJson: toJsonBytes(location),
    tariffJson: toJsonBytes(tariff), tariffVersion: 3, tokenJson: toJsonBytes(token), energyWh: '6000',
  }));
  await expect.poll(async () => (await statement()).statement.sentences).toEqual(['CA*CPK owes Energy OASIS 3.09 CAD']);
  const { statement: { state, currencies }, notes } = await statement();
  expect([state, currencies[0]?.invoices[0]?.fees, notes.awaiting]).toEqual(['without-agreement', [], 1]);
});

test('what was agreed on is heard, noted once, and on the statement', async () => {
  await agree(1);
  await agree(1);
  await agree(2, { closing_days: 5 });
  const terms = { ...exampleTerms, closing_days: 5 };
  await expect.poll(async () => (await statement()).statement.agreement).toBe(termsDigest(terms));
  expect((await statement()).statement).toMatchObject({
    state: 'open', closes_at: '2022-04-06T07:00:00Z', sentences: ['Carbon Plunk Ltée owes Energy OASIS Inc. 3.35 CAD'],
    currencies: [{ invoices: [{ fees: [{ quantity: '1', amount: '0.25' }], fee_taxes: [{ code: 'GST', amount: '0.01' }] }] }],
  });
  const { chains } = await oasis.bus.ask(verifyLedger, {});
  expect(chains).toMatchObject([{ intact: true, entries: 3 }]);
});

test('an acknowledgement is the time at which the partner had it', async () => {
  await oasis.tellAsGateway(told(cdrDelivered, {
    cdrId: `${session.id}-1`, tokenParty: partner, locationUrl: '', at: '2022-04-30T00:00:00Z',
  }));
  await expect.poll(async () => (await statement()).notes.awaiting).toBe(0);
  expect((await statement()).statement.currencies).toEqual([]);
  expect((await statement('2022-04')).statement).toMatchObject({ currencies: [{ invoices: [{ late: { cdrs: 1, incl_tax: '3.09' } }] }] });
});

test('the lines of a statement are listed, and none behind the last', async () => {
  const page = (after = '') => oasis.bus.ask(listStatementLines, { partner, month: '2022-04', after, limit: 10 });
  const { linesJson, next } = await page();
  expect(linesJson.map((bytes) => fromJsonBytes<StatementLine>(bytes))).toMatchObject([{ cdr_id: `${session.id}-1`, late: true }]);
  expect(await page(next)).toMatchObject({ linesJson: [], next: '' });
  await expect(page('nonsense')).rejects.toMatchObject({ code: 'invalid-object' });
});

test('after a restart the statements are the same', async () => {
  const before = [await statement('2022-03'), await statement('2022-04')];
  await oasis.restart();
  expect([await statement('2022-03'), await statement('2022-04')]).toEqual(before);
});
