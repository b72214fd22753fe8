import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bookPayment, getAccountStatement } from '#contracts/accounts';
import { fromJsonBytes } from '#contracts';
import { creditCdr, type Token } from '#ocpi';
import { forgetHolder } from '../src/holders.ts';
import type { AccountStatement } from '../src/account-statement.ts';
import { token as blake } from './charge.ts';
import { cdrOf, linesOf, pushCdr, retailOfCdr, standingOf } from './drivers.ts';
import { plus, type RetailPlatform, retailPlatform } from './retail-platform.ts';

// A driver's months, in the calendar of British Columbia: it is still January there when UTC has the 1st of February.

let plunk: RetailPlatform;
const contractId = 'CA-CPK-AVERY';
const token: Token = { ...blake, uid: 'CARD-AVERY', contract_id: contractId };

interface Found extends AccountStatement {
  readonly account_id: string;
  readonly contract_id: string;
  readonly from: string;
  readonly to: string;
  readonly time_zone: string;
  readonly closed: boolean;
}

async function found(
  month: string, more: { after?: string; limit?: number; contractId?: string; orAccount?: boolean } = {},
): Promise<Found & { next: string }> {
  const { statementJson, linesJson, next } = await plunk.bus.ask(getAccountStatement, { contractId, month, ...more });
  return { ...fromJsonBytes<Found>(statementJson), lines: linesJson.map((bytes) => fromJsonBytes<AccountStatement['lines'][number]>(bytes)), next };
}

const pay = (amount: string) => plunk.bus.ask(bookPayment, { contractId, currency: 'CAD', amount }, { commandId: randomUUID() });

beforeAll(async () => {
  plunk = await retailPlatform(plus, { clock: '2022-02-01T07:30:00Z' });
  await plunk.issue(token);
  await vi.waitFor(() => standingOf(plunk, contractId), 60_000);
  await pay('5');
  await plunk.restart('2022-02-01T18:22:00Z');
  await pushCdr(plunk, cdrOf(token, 'M-1'));
  await pushCdr(plunk, cdrOf(token, 'M-2'));
  await pushCdr(plunk, creditCdr(cdrOf(token, 'M-2'), '2022-02-01T18:30:00Z'));
  expect(await linesOf(plunk, contractId)).toHaveLength(4);
  await pay('1.25');
});
afterAll(() => plunk?.stop());

test('a payment late in the evening of the 31st is of January, whose closing balance opens February', async () => {
  const january = await found('2022-01');
  expect(january).toMatchObject({
    contract_id: contractId, time_zone: 'America/Vancouver', from: '2022-01-01T08:00:00Z', to: '2022-02-01T08:00:00Z', closed: true, next: '',
    currencies: [{ currency: 'CAD', opening_balance: '0.00', payments: '5.00', charges: '0.00', closing_balance: '5.00', taxes: [] }],
    lines: [{ kind: 'payment', amount: '5.00', balance: '5.00' }],
  });
  expect((await found('2022-02')).currencies).toMatchObject([{ currency: 'CAD', opening_balance: '5.00' }]);
});

test('each charge and refund has its receipt, and its taxes as the price has them', async () => {
  const february = await found('2022-02');
  const { price } = await retailOfCdr(plunk, 'M-1');
  const [charge, other, refund, payment] = february.lines;
  expect(february.lines.map(({ kind }) => kind)).toEqual(['charge', 'charge', 'refund', 'payment']);
  const receipt = { country_code: 'CA', party_id: 'BCT', cdr_id: 'M-1' };
  expect(charge).toMatchObject({ receipt, excl_tax: price!.exclVat, incl_tax: price!.inclVat, amount: `-${price!.inclVat}` });
  const cents = (text: string) => BigInt(text.replace('.', ''));
  const tax = charge!.taxes!.reduce((all, { amount }) => all + cents(amount), 0n);
  expect(charge!.taxes).not.toEqual([]);
  // By what was noted with the charge: the data of taxes may be others by now.
  const { rows } = await plunk.ledgerDb.query(`SELECT data FROM events WHERE type IN ('ChargeBooked', 'ChargeRefunded') ORDER BY "position"`);
  expect(rows.map(({ data }) => (JSON.parse(data as string) as { taxes?: object }).taxes)).toEqual([charge!.taxes, other!.taxes, refund!.taxes]);
  expect(tax).toBe(cents(charge!.incl_tax!) - cents(charge!.excl_tax!));
  expect(refund).toMatchObject({ receipt: { cdr_id: 'M-2-C' }, amount: price!.inclVat, excl_tax: `-${price!.exclVat}` });
  expect(refund!.taxes!.map(({ amount }) => amount)).toEqual(other!.taxes!.map(({ amount }) => `-${amount}`));
  expect(february.currencies).toMatchObject([{
    payments: '1.25', refunds: price!.inclVat, taxes: charge!.taxes, closing_balance: payment!.balance,
  }]);
  expect(cents(payment!.balance)).toBe(625n - cents(price!.inclVat!));
});

test('a month that runs is not closed; one that is over is the same however often it is asked for, whole or in pages', async () => {
  expect((await found('2022-02')).closed).toBe(false);
  // What was decided before midnight may still be on its way.
  await plunk.restart('2022-03-01T08:05:00Z');
  expect((await found('2022-02')).closed).toBe(false);
  await plunk.restart('2022-03-02T18:00:00Z');
  const february = await found('2022-02');
  expect(february.closed).toBe(true);
  await pay('7');
  expect(await found('2022-02')).toEqual(february);
  const lines = [];
  for (let after = ''; ;) {
    const page = await found('2022-02', { after, limit: 3 });
    expect(page.currencies).toEqual(february.currencies);
    lines.push(...page.lines);
    if (page.next === '') break;
    after = page.next;
  }
  expect(lines).toEqual(february.lines);
});

test('what is no month is refused, and of an erased contract the operator has the statement by the account alone', async () => {
  await expect(found('2022-13')).rejects.toMatchObject({ code: 'invalid-object' });
  const before = await found('2022-02', { orAccount: true });
  const byAccount = { contractId: before.account_id, orAccount: true };
  await forgetHolder(plunk.ledgerDb, contractId);
  await expect(found('2022-02', { orAccount: true })).rejects.toMatchObject({ code: 'unknown-account', detail: expect.stringContaining('account_id') });
  await expect(found('2022-02', { ...byAccount, orAccount: false })).rejects.toMatchObject({ code: 'unknown-account' });
  expect(await found('2022-02', byAccount)).toEqual({ ...before, contract_id: '' });
  await expect(found('2022-02', { contractId: randomUUID(), orAccount: true })).rejects.toMatchObject({ code: 'unknown-account' });
});
