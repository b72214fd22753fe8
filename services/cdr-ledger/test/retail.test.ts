import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { told } from '#bus';
import {
  bookPayment,
  changeAccount,
  getAccount,
  getRetail,
  listAccountLines,
  listAccounts,
} from '#contracts/accounts';
import { correctCdr, verifyLedger } from '#contracts/cdr-ledger';
import { Change } from '#contracts/party';
import { exportLedger, rebuildProjection } from '#contracts/ledger';
import { sessionEnded } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { creditCdr, type Token } from '#ocpi';
import { openDatabase } from '#postgres';
import { forgetHolder } from '../src/holders.ts';
import { cdr, location, session, tariff } from './charge.ts';
import {
  balanceOf, bct, cdrOf, linesOf, newDriver, pushCdr, retailOfCdr, standingOf, tokenOf,
} from './drivers.ts';
import { type RetailPlatform, retailPlatform } from './retail-platform.ts';

let plunk: RetailPlatform;
beforeAll(async () => {
  plunk = await retailPlatform();
});
afterAll(() => plunk?.stop());

const driver = (name: string) => newDriver(plunk, name);
const push = (body: unknown) => pushCdr(plunk, body);
const retailOf = (cdrId: string) => retailOfCdr(plunk, cdrId);
const standing = (contractId: string) => standingOf(plunk, contractId);
const balance = (contractId: string) => balanceOf(plunk, contractId);
const lines = (contractId: string) => linesOf(plunk, contractId);

describe('what a driver owes', () => {
  test('a token of ours gets an account with the default plan and limit', async () => {
    const { contractId } = await driver('NEW');
    expect(await standing(contractId)).toMatchObject({
      contractId, planId: 'plus', planName: 'Plus', exhausted: false,
      balances: [{ currency: 'CAD', balance: '0', creditLimit: '20', left: '20' }],
    });
  });

  test('a CDR is booked at the retail price; it stays as it was for everybody else', async () => {
    const { token, contractId } = await driver('BOOKED');
    const body = cdrOf(token, 'B-1');
    await push(body);
    // 2.94 and 5 % and 0.50, with 5 % GST: 3.087 … 3.09 as the CDR rounds it, and 0.647 × 1.05.
    const { state, price } = await retailOf('b-1');
    expect(state).toBe('booked');
    expect(price).toMatchObject({ exclVat: '3.59', inclVat: '3.77', planId: 'plus', passesThrough: false });
    expect(price!.text).toContain('0.50 CAD a session and 5 % of it on top');
    expect(price!.text).not.toMatch(/2\.94|3\.09/);
    expect(await balance(contractId)).toMatchObject({ balance: '-3.77', left: '16.23' });
    expect(await lines(contractId)).toMatchObject([{ kind: 'charge', amount: '-3.77', cdrId: 'B-1', party: bct }]);
    await expect.poll(() => plunk.received.map(({ cdrId }) => cdrId)).toContain('B-1');
    const told = plunk.received.find(({ cdrId }) => cdrId === 'B-1')!;
    expect(fromJsonBytes(told.cdrJson)).toEqual(body);
  });

  test('the same CDR again books nothing, whatever came between', async () => {
    const { token, contractId } = await driver('AGAIN');
    await push(cdrOf(token, 'A-1'));
    await push(cdrOf(token, 'A-2'));
    const before = await lines(contractId);
    await push(cdrOf(token, 'A-1'));
    await plunk.restart();
    await push(cdrOf(token, 'A-1'));
    expect(await lines(contractId)).toEqual(before);
    expect(before).toHaveLength(2);
  });

  test('a Credit CDR becomes a refund, once', async () => {
    const { token, contractId } = await driver('REFUNDED');
    const body = cdrOf(token, 'C-1');
    await push(body);
    await push(creditCdr(body, cdr.last_updated));
    await push({ ...creditCdr(body, cdr.last_updated), id: 'C-1-AGAIN' });
    expect((await retailOf('C-1-C')).price).toMatchObject({ exclVat: '-3.59', inclVat: '-3.77' });
    expect(await retailOf('C-1-AGAIN')).toMatchObject({ state: 'none' });
    expect(await lines(contractId)).toMatchObject([{ kind: 'refund', amount: '3.77' }, { kind: 'charge', amount: '-3.77' }]);
    expect(await balance(contractId)).toMatchObject({ balance: '0' });
  });

  test('a Credit CDR in another currency, which takes back something else, pays nothing back', async () => {
    const { token, contractId } = await driver('YEN');
    const body = cdrOf(token, 'Y-1');
    await push({ ...creditCdr(body, cdr.last_updated), id: 'Y-1-FIRST', currency: 'JPY' });
    await push(body);
    const { findings } = await push({ ...creditCdr(body, cdr.last_updated), currency: 'jpy' });
    expect(findings.map(({ code }) => code)).toContain('second-credit');
    expect(await retailOf('Y-1-C')).toMatchObject({ state: 'none' });
    expect(await balance(contractId)).toMatchObject({ balance: '-3.77' });
  });

  test('the price of a CDR, and of what its Credit CDR pays back, has the taxes that were noted with it', async () => {
    const { token } = await driver('TAXED');
    const body = cdrOf(token, 'T-1');
    await push(body);
    await push({ ...creditCdr(body, cdr.last_updated), total_cost: { excl_vat: -1.47, incl_vat: -1.54 } });
    await push(cdrOf(token, 'T-2'));
    await push({ ...creditCdr(cdrOf(token, 'T-2'), cdr.last_updated), total_cost: { excl_vat: 0, incl_vat: -0.15 } });
    const taxes = async (id: string) => (await retailOf(id)).price!.taxes?.taxes.map(({ code, rate, amount }) => ({ code, rate, amount }));
    expect(await taxes('T-1')).toEqual([{ code: 'GST', rate: '5', amount: '0.18' }]);
    expect(await taxes('T-1-C')).toEqual([{ code: 'GST', rate: '5', amount: '-0.08' }]);
    expect(await taxes('T-2-C'), 'of the tax alone').toEqual([{ code: 'GST', rate: '5', amount: '-0.15' }]);
  });

  test('an account, its lines and the price of a CDR are said in English or, to who asks for it, in French', async () => {
    const { token, contractId } = await driver('FRENCH');
    const body = cdrOf(token, 'F-1');
    await push(body);
    await push(creditCdr(body, cdr.last_updated));
    await retailOf('F-1-C');
    const said = async (language: string) => {
      const [{ account }, { lines: own }, { price }] = await Promise.all([
        plunk.bus.ask(getAccount, { contractId, language }), plunk.bus.ask(listAccountLines, { contractId, language }),
        plunk.bus.ask(getRetail, { party: bct, cdrId: 'F-1', language }),
      ]);
      return [account!.planText, ...own.map(({ text }) => text), price!.text].map((text) => text.replaceAll('\u00a0', ' '));
    };
    expect(await said('')).toEqual([
      expect.stringMatching(/^You pay what the charge costs there/), 'Paid back, of receipt F-1.',
      expect.stringMatching(/^\d.* kWh\. 3\.77 CAD by your plan Plus\. You pay/), expect.stringMatching(/^3\.77 CAD by your plan Plus/),
    ]);
    expect(await said('fr')).toEqual([
      expect.stringMatching(/^Vous payez ce que la recharge coûte sur place/), 'Remboursement du reçu F-1.',
      expect.stringMatching(/^\d.* kWh\. 3,77 .* selon votre forfait Plus\. Vous payez/), expect.stringMatching(/^3,77 .* selon votre forfait Plus/),
    ]);
  });

  test('a credit that overtakes its CDR is refunded when that comes', async () => {
    const { token, contractId } = await driver('OVERTAKEN');
    const body = cdrOf(token, 'O-1');
    await push(creditCdr(body, cdr.last_updated));
    expect(await retailOf('O-1')).toMatchObject({ state: 'none' });
    await push(body);
    expect((await retailOf('O-1')).state).toBe('booked');
    expect(await balance(contractId)).toMatchObject({ balance: '0' });
    expect(await lines(contractId)).toHaveLength(2);
  });

  test('a credit as some partners write it, a bill below zero under an id of its own, is a refund too', async () => {
    const { token, contractId } = await driver('SLOPPY');
    await push(cdrOf(token, 'SL-1'));
    await push(cdrOf(token, 'SL-X', { session_id: 'S-SL-1', total_cost: { excl_vat: -2.94, incl_vat: -3.09 } }));
    await retailOf('SL-X');
    expect(await balance(contractId)).toMatchObject({ balance: '0' });
    expect((await lines(contractId)).map(({ kind }) => kind).toSorted()).toEqual(['charge', 'refund']);
  });

  test('at our own station the tariff is the price; its correction is a refund and a charge', async () => {
    const { token, contractId } = await driver('OWN');
    const own = { country_code: 'CA', party_id: 'CPK' };
    const ended = { ...session, ...own, id: 'OWN-S', cdr_token: tokenOf(token) };
    await plunk.tellAsSessions(
      told(sessionEnded, {
        sessionId: ended.id, tokenParty: { countryCode: 'CA', partyId: 'CPK' }, sessionJson: toJsonBytes(ended),
        locationJson: toJsonBytes({ ...location, ...own }), tariffJson: toJsonBytes({ ...tariff, ...own }),
        tariffVersion: 1, tokenJson: toJsonBytes(token), energyWh: '6000',
      }),
    );
    await expect.poll(() => plunk.issued.map(({ cdrId }) => cdrId)).toContain('OWN-S-1');
    const party = { countryCode: 'CA', partyId: 'CPK' };
    const priced = await plunk.bus.ask(getRetail, { party, cdrId: 'OWN-S-1' });
    expect(priced.price).toMatchObject({ inclVat: '3.09', passesThrough: true, planId: 'plus' });
    await plunk.bus.ask(correctCdr, { cdrId: 'OWN-S-1', reason: 'half', energyWh: '3000' });
    const said = (await lines(contractId)).map(({ kind, amount, cdrId }) => `${cdrId} ${kind} ${amount}`);
    expect(said.toSorted()).toEqual(['OWN-S-1 charge -3.09', 'OWN-S-1-C refund 3.09', 'OWN-S-2 charge -2.33']);
  });

  test('an odd CDR is booked as we shall pay it', async () => {
    const { token, contractId } = await driver('ODD');
    await push(cdrOf(token, 'ODD-1', { total_cost: { excl_vat: 29.4, incl_vat: 30.87 } }));
    expect((await retailOf('ODD-1')).price).toMatchObject({ inclVat: '32.94' }); // 30.87 + 1.97 × 1.05
    expect(await balance(contractId)).toMatchObject({ balance: '-32.94', left: '-12.94' });
  });

  test('a contract spelled otherwise is found by its token, a small currency is the same account; another eMSP is not ours', async () => {
    const { token, contractId } = await driver('SPELLED');
    await push(cdrOf({ ...token, contract_id: 'CACPKSPELLED' }, 'SP-1', { currency: 'cad' }));
    await retailOf('SP-1');
    expect(await lines(contractId)).toHaveLength(1);
    expect(await balance(contractId)).toMatchObject({ balance: '-3.77', left: '16.23' });
    await push(cdrOf({ ...token, party_id: 'XYZ' }, 'SP-2'));
    expect(await retailOf('SP-2')).toMatchObject({ state: 'none' });
  });

  test('a negative bill of which nobody can tell what it takes back is on no account', async () => {
    const { token, contractId } = await driver('OF-NOTHING');
    const entries = async () => (await plunk.accountEntries()).length;
    const before = await entries();
    const { change } = await push(cdrOf(token, 'OF-NOTHING', { total_cost: { excl_vat: -1 } }));
    expect(change).toBe(Change.CREATED);
    expect([await retailOf('OF-NOTHING'), await lines(contractId)]).toMatchObject([{ state: 'none' }, []]);
    expect(await entries()).toBe(before);
  });
});

describe('an operator', () => {
  test('changes the plan for charges from then on, and the limit; a repeat changes nothing', async () => {
    const { token, contractId } = await driver('CHANGED');
    const change = { contractId, planId: 'pass', limits: [{ currency: 'CAD', amount: '5' }, { currency: 'EUR', amount: '7.5' }] };
    const options = { commandId: crypto.randomUUID() };
    const { account } = await plunk.bus.ask(changeAccount, change, options);
    expect(account).toMatchObject({ planId: 'pass', balances: [{ currency: 'CAD', creditLimit: '5' }, { currency: 'EUR', creditLimit: '7.5' }] });
    const events = (await plunk.accountEntries()).length;
    await plunk.bus.ask(changeAccount, change, options);
    expect(await plunk.accountEntries()).toHaveLength(events);
    // It began before the change.
    await push(cdrOf(token, 'CH-1'));
    expect((await retailOf('CH-1')).price).toMatchObject({ planId: 'plus', inclVat: '3.77' });
    const later = { start_date_time: '2022-02-02T17:00:00Z', end_date_time: '2022-02-02T18:20:00Z' };
    await push(cdrOf(token, 'CH-2', later));
    expect((await retailOf('CH-2')).price).toMatchObject({ planId: 'pass', inclVat: '3.09', passesThrough: true });
  });

  test.each([
    [{ planId: 'nope', limits: [] }, 'unknown-plan', /^plan_id: there is no plan nope; there is .*\bpass\b.*\bplus\b/],
    [{ limits: [{ currency: 'CAD', amount: '-1' }] }, 'invalid-object'],
    [{ limits: [{ currency: 'CAD', amount: '1.234' }] }, 'invalid-object'],
    [{ limits: [{ currency: 'ZZZ', amount: '1' }] }, 'invalid-object'],
    [{ contractId: 'NOBODY', limits: [] }, 'unknown-account'],
  ])('is refused %j as %s, and nothing is changed', async (change, code, says = /^/) => {
    const { contractId } = await driver('ASKED');
    const events = (await plunk.accountEntries()).length;
    await expect(plunk.bus.ask(changeAccount, { contractId, ...change })).rejects.toMatchObject({ code, detail: expect.stringMatching(says) });
    expect(await plunk.accountEntries()).toHaveLength(events);
  });

  test('books a payment once', async () => {
    const { contractId } = await driver('PAID');
    const paid = { contractId, currency: 'CAD', amount: '12.50' };
    const options = { commandId: crypto.randomUUID() };
    await plunk.bus.ask(bookPayment, paid, options);
    const { account } = await plunk.bus.ask(bookPayment, paid, options);
    expect(account!.balances).toMatchObject([{ balance: '12.5', left: '32.5' }]);
    await expect(plunk.bus.ask(bookPayment, { ...paid, amount: '0' })).rejects.toMatchObject({ code: 'invalid-object' });
  });

  test('a card and an app user of one uid, of two drivers, are each on their own account', async () => {
    const { token: card, contractId: first } = await driver('CARD-OF');
    const app: Token = { ...card, type: 'APP_USER', contract_id: 'CA-CPK-APP-OF' };
    await plunk.issue(app);
    await expect.poll(() => plunk.bus.ask(getAccount, { contractId: app.contract_id }).catch(() => undefined)).toBeDefined();
    await push(cdrOf(card, 'OF-CARD'));
    await push(cdrOf(app, 'OF-APP'));
    await retailOf('OF-APP');
    expect((await lines(first)).map(({ cdrId }) => cdrId)).toEqual(['OF-CARD']);
    expect((await lines(app.contract_id)).map(({ cdrId }) => cdrId)).toEqual(['OF-APP']);
  });

  test('pages through accounts and lines, none twice and none left out', async () => {
    const { token, contractId } = await driver('PAGED');
    for (let n = 0; n < 5; n += 1) await push(cdrOf(token, `P-${n}`));
    await retailOf('P-4');
    const seen: string[] = [];
    for (let after = ''; ;) {
      const page = await plunk.bus.ask(listAccountLines, { contractId, after, limit: 2 });
      seen.push(...page.lines.map(({ cdrId }) => cdrId!));
      if (page.next === '') break;
      after = page.next;
    }
    expect(seen.toSorted()).toEqual(['P-0', 'P-1', 'P-2', 'P-3', 'P-4']);
    const all = (await plunk.bus.ask(listAccounts, {})).accounts.map(({ contractId: id }) => id);
    const first = await plunk.bus.ask(listAccounts, { limit: 1 });
    const second = await plunk.bus.ask(listAccounts, { limit: 1, after: first.next });
    expect([first.accounts[0]!.contractId, second.accounts[0]!.contractId]).toEqual(all.slice(0, 2));
  });
});

describe('the books', () => {
  test('read again from the beginning, the log books nothing twice and makes the same rows', async () => {
    const { token, contractId } = await driver('REPLAYED');
    const body = cdrOf(token, 'RE-1');
    await push(body);
    await push(creditCdr(body, cdr.last_updated));
    await push(cdrOf(token, 'RE-2'));
    await retailOf('RE-2');
    const rows = async () => (await plunk.ledgerDb.query('SELECT * FROM account_lines ORDER BY account_id, "position"')).rows;
    const before = { lines: await lines(contractId), rows: await rows(), standing: await standing(contractId) };
    const entries = await plunk.accountEntries();
    // As after a crash between the append and the position.
    await plunk.ledgerDb.query(`UPDATE followed SET "position" = 0 WHERE follower IN ('booking', 'account-credit')`);
    await plunk.restart();
    await retailOf('RE-2');
    expect(await plunk.accountEntries()).toEqual(entries);
    await plunk.bus.ask(rebuildProjection, { name: 'account-rows' });
    await push(cdrOf(token, 'RE-3'));
    await retailOf('RE-3');
    expect((await lines(contractId)).slice(1)).toEqual(before.lines);
    expect((await rows()).length).toBe(before.rows.length + 1);
    expect(before.standing.balances).toMatchObject([{ balance: '-3.77' }]);
  });

  test('two replicas book a CDR once', async () => {
    const { token, contractId } = await driver('REPLICAS');
    const replica = await plunk.startReplica();
    await Promise.all(Array.from({ length: 6 }, (_, n) => push(cdrOf(token, `TWO-${n}`))));
    await retailOf('TWO-5');
    expect(await lines(contractId)).toHaveLength(6);
    await replica.stop();
  });

  test('what drivers pay is in a chain of its own, which no export for partners holds', async () => {
    const { chains } = await plunk.bus.ask(verifyLedger, {});
    expect(chains).toMatchObject([
      { chain: 'CA*CPK', intact: true, problem: '' },
      { chain: 'CA*CPK/accounts', intact: true, problem: '' },
    ]);
    expect(chains[1]!.entries).toBe((await plunk.accountEntries()).length);
    let exported = '';
    for (let cursor = ''; ;) {
      const page = await plunk.bus.ask(exportLedger, { cursor });
      exported += Buffer.from(page.lines).toString();
      if (page.next === '') break;
      cursor = page.next;
    }
    expect(exported).toContain('CdrReceived');
    expect(exported).not.toMatch(/Charge(Booked|Refunded)|AccountOpened|accountId/);
  });

  test('no entry says who the driver is, and an erased contract leaves the money and the chain as they are', async () => {
    const { token, contractId } = await driver('ERASED');
    await push(cdrOf(token, 'ER-1'));
    await retailOf('ER-1');
    const texts = (await plunk.accountEntries()).join('\n').toLowerCase();
    for (const said of ['card-', 'erased']) expect(texts).not.toContain(said);
    const { accountId } = await standing(contractId);
    const db = await openDatabase({ url: plunk.databaseUrl, schema: 'cdr_ledger', migrations: [] });
    await forgetHolder(db, contractId);
    await db.close();
    await expect(standing(contractId)).rejects.toMatchObject({ code: 'unknown-account' });
    const all = (await plunk.bus.ask(listAccounts, {})).accounts;
    expect(all.find((one) => one.accountId === accountId)).toMatchObject({ contractId: '', balances: [{ balance: '-3.77' }] });
    const { chains } = await plunk.bus.ask(verifyLedger, {});
    expect(chains.every(({ intact }) => intact)).toBe(true);
  });
});
