import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readHead, type ReceiptProof, verifyExport, verifyReceipt } from '#chain';
import { bookPayment, changeAccount, getAccount, getAccountLineProof, listAccountLines } from '#contracts/accounts';
import { receiveCdr, verifyLedger } from '#contracts/cdr-ledger';
import { exportLedger, getConsistencyProof, getHeads, getReceiptProof } from '#contracts/ledger';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { creditCdr, type Token } from '#ocpi';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { forgetHolder } from '../src/holders.ts';
import { migrations } from '../src/migrations.ts';
import { restoreLedger } from '../src/restore.ts';
import { cdr, token as blake } from './charge.ts';
import { plus, type RetailPlatform, retailPlatform } from './retail-platform.ts';

const bct = { countryCode: 'CA', partyId: 'BCT' };
const drivers = ['AVERY', 'BLAKE', 'CASEY'].map((name): Token => ({ ...blake, uid: `CARD-${name}`, contract_id: `CA-CPK-${name}` }));
const [avery, erased, casey] = drivers as [Token, Token, Token];

let plunk: RetailPlatform;

const cdrOf = ({ country_code, party_id, uid, type, contract_id }: Token, id: string) =>
  ({
    ...cdr, id, session_id: `S-${id}`, cdr_token: { country_code, party_id, uid, type, contract_id },
    start_date_time: '2022-02-01T19:00:00Z', end_date_time: '2022-02-01T20:00:00Z',
  });

const push = (body: unknown, on = plunk) => on.bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });

const accountOf = async ({ contract_id: contractId }: Token, on = plunk) =>
  (await on.bus.ask(getAccount, { contractId })).account!;

const linesOf = async ({ contract_id: contractId }: Token, on = plunk) =>
  (await on.bus.ask(listAccountLines, { contractId })).lines;

async function exported(accounts: boolean, on = plunk): Promise<string> {
  let text = '';
  for (let cursor = ''; ;) {
    const { lines, next } = await on.bus.ask(exportLedger, { cursor, accounts });
    text += Buffer.from(lines).toString();
    if (next === '') return text;
    cursor = next;
  }
}

const reading = (text: string) => async function* () {
  yield Buffer.from(text);
};

const heads = (on = plunk) => on.bus.ask(getHeads, { accounts: true });

beforeAll(async () => {
  plunk = await retailPlatform();
  await plunk.issue(...drivers);
  for (const token of drivers) await vi.waitFor(() => accountOf(token), 60_000);
  await plunk.bus.ask(changeAccount, { contractId: casey.contract_id, planId: 'pass', limits: [] });
  for (const [n, token] of drivers.entries()) {
    await push(cdrOf(token, `A-${n}`));
    await push(cdrOf(token, `B-${n}`));
    await push(creditCdr(cdrOf(token, `B-${n}`), '2022-02-01T18:30:00Z'));
    await plunk.bus.ask(bookPayment, { contractId: token.contract_id, currency: 'CAD', amount: '5' }, { commandId: `p-${n}` });
  }
  // More than a page of an export.
  for (let n = 0; n < 6; n += 1) {
    const cdr_token = { ...cdr.cdr_token, party_id: 'XYZ' };
    await push({ ...cdr, id: `LONG-${n}`, session_id: `S-LONG-${n}`, cdr_token, x_note: 'x'.repeat(180_000) });
  }
  for (const token of drivers) await vi.waitUntil(async () => (await linesOf(token)).length === 4, 60_000);
  await plunk.restart('2022-02-02T18:00:00Z');
  for (const accounts of [true, false])
    await vi.waitUntil(async () => (await plunk.bus.ask(getHeads, { accounts })).heads.length === 2, 60_000);
});
afterAll(() => plunk?.stop());

test('each day of the accounts is signed beside that of the CDRs, and grew from the one before', async () => {
  const { heads: signed, keys } = await heads();
  const read = signed.map(({ text }) => readHead(text)!);
  expect(read).toMatchObject([
    { ledger: 'CA*CPK/accounts', day: '2022-01-31', entries: 0 },
    { ledger: 'CA*CPK/accounts', day: '2022-02-01' },
  ]);
  const { path, newer } = await plunk.bus.ask(getConsistencyProof, { olderDay: '2022-01-31', newerDay: '2022-02-01', accounts: true });
  expect({ path, newer }).toMatchObject({ path: [], newer: { text: signed[1]!.text } });
  const { heads: ofCdrs } = await plunk.bus.ask(getHeads, {});
  expect(ofCdrs.map(({ text }) => readHead(text)!.ledger)).toEqual(['CA*CPK', 'CA*CPK']);
  expect(await verifyExport([Buffer.from(await exported(true))], { keys })).toMatchObject({
    ledger: 'CA*CPK/accounts', entries: read[1]!.entries, heads: 2, newestDay: '2022-02-01', damage: undefined,
  });
});

test('an export of the one ledger holds nothing of the other, and its cursor is not taken for it', async () => {
  const [cdrs, accounts] = await Promise.all([exported(false), exported(true)]);
  expect(cdrs).not.toMatch(/accountId|Charge(Booked|Refunded)|Payment/);
  expect(accounts).not.toMatch(/CdrReceived|cdr_token/);
  const { next: cursor } = await plunk.bus.ask(exportLedger, {});
  expect(cursor).not.toBe('');
  await expect(plunk.bus.ask(exportLedger, { cursor, accounts: true })).rejects.toMatchObject({ code: 'invalid-cursor' });
});

test('a driver proves a payment and a charge that is passed on; what shows our costs only the operator does', async () => {
  const { keys } = await heads();
  const proofOf = async (token: Token, lineId: string, forDriver: boolean) =>
    fromJsonBytes<ReceiptProof>((await plunk.bus.ask(getAccountLineProof, { contractId: token.contract_id, lineId, forDriver })).proofJson);
  for (const line of await linesOf(casey)) {
    if (line.kind === 'refund') continue;
    const proof = await proofOf(casey, line.id, true);
    expect(verifyReceipt(proof, keys)).toMatchObject({ ok: true });
    expect(proof.text).toContain(line.kind === 'payment' ? '"amount":"5"' : '"payable":"3.09"');
  }
  const [marked] = (await linesOf(avery)).filter(({ kind }) => kind === 'charge');
  await expect(proofOf(avery, marked!.id, true)).rejects.toMatchObject({ code: 'shows-costs' });
  const shown = await proofOf(avery, marked!.id, false);
  expect(verifyReceipt(shown, keys)).toMatchObject({ ok: true });
  expect(verifyReceipt({ ...shown, text: shown.text.replace('"payable":"', '"payable":"1') }, keys)).toMatchObject({ ok: false });
  // Of another's account there is nothing to be proven.
  await expect(proofOf(casey, marked!.id, true)).rejects.toMatchObject({ code: 'unknown-line' });
  await expect(plunk.bus.ask(getReceiptProof, { party: bct, cdrId: 'A-0' })).resolves.toBeDefined();
});

test('a ledger restored with its accounts has the same balances, plans and holders, and books nothing twice', async () => {
  const db = await openDatabase({ url: plunk.databaseUrl, schema: 'cdr_ledger', migrations });
  await forgetHolder(db, erased.contract_id);
  await db.query('DELETE FROM private_parts WHERE contract_key = $1', [erased.contract_id.toLowerCase()]);
  await db.close();
  const [cdrs, accounts] = [await exported(false), await exported(true)];
  const { keys } = await heads();
  const before = await Promise.all([accountOf(avery), accountOf(casey), linesOf(avery), linesOf(casey)]);
  const restored = await retailPlatform(plus, {
    clock: '2022-02-02T18:05:00Z',
    ledger: { former_public_keys: keys },
    before: (databaseUrl) => restoreLedger({ databaseUrl, exports: [reading(cdrs), reading(accounts)], keys }),
  });
  try {
    const after = await Promise.all([
      accountOf(avery, restored), accountOf(casey, restored), linesOf(avery, restored), linesOf(casey, restored),
    ]);
    expect(after).toEqual(before);
    expect(after[1].planId).toBe('pass');
    await expect(accountOf(erased, restored)).rejects.toMatchObject({ code: 'unknown-account' });
    const { chains } = await restored.bus.ask(verifyLedger, {});
    expect(chains).toMatchObject([{ chain: 'CA*CPK', intact: true }, { chain: 'CA*CPK/accounts', intact: true }]);
    expect(await exported(true, restored).then((text) => text.split('\n').filter((line) => line.startsWith('{"n"'))))
      .toEqual(accounts.split('\n').filter((line) => line.startsWith('{"n"')));
    // A card that is told again has the account that it had, and goes on.
    await restored.issue(avery);
    await push(cdrOf(avery, 'C-0'), restored);
    await expect.poll(async () => (await linesOf(avery, restored)).length).toBe(5);
    expect((await accountOf(avery, restored)).accountId).toBe(before[0].accountId);
  } finally {
    await restored.stop();
  }
});

test('accounts are not restored without the CDRs that they book, nor twice', async () => {
  const { url: databaseUrl, drop } = await freshDatabase();
  const [cdrs, accounts] = [await exported(false), await exported(true)];
  await expect(restoreLedger({ databaseUrl, exports: [reading(accounts)] })).rejects.toThrow(/restored together with CA\*CPK/);
  await expect(restoreLedger({ databaseUrl, exports: [reading(cdrs), reading(cdrs)] })).rejects.toThrow(/two exports/);
  const flipped = accounts.replace('"amount":"5"', '"amount":"6"');
  await expect(restoreLedger({ databaseUrl, exports: [reading(cdrs), reading(flipped)] }))
    .rejects.toThrow(/export of CA\*CPK\/accounts is not intact: entry \d+/);
  await drop();
});
