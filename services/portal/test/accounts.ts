import { type Bus, each } from '#bus';
import {
  bookPayment, type BookPayment, changeAccount, type ChangeAccount, getAccount, getAccountLineProof, getAccountStatement, getRetail,
  listAccountLines,  listAccounts, priceForDriver, releaseCharge,
} from '#contracts/accounts';
import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { instant } from '#time';

/** Drivers' accounts as the cdr-ledger answers for them; none until a test keeps some. */
export class Accounts {
  kept = false;
  noCredit = false;
  passesThrough = false;
  limitReached = false;
  /** Noted with every charge; undefined as a former release left them. */
  taxes: { code: string; rate: string; amount: string }[] | undefined;
  /** Of CDRs that are on no account. */
  readonly off = new Set<string>();
  readonly changes: ChangeAccount[] = [];
  readonly payments: BookPayment[] = [];

  /** From then on (RFC 3339) the plan is cheaper. */
  cheaperFrom: string | undefined;

  private price(startedAt = '2022-02-01T17:00:00Z', language = 'en') {
    const cheaper = this.cheaperFrom !== undefined && instant(startedAt) >= instant(this.cheaperFrom);
    return {
      currency: 'CAD', ...(cheaper ? { exclVat: '8.1', inclVat: '8.51' } : { exclVat: '9.1', inclVat: '9.56' }),
      planId: 'plus', planName: 'Plus', text: language === 'fr' ? '9,56 $ selon votre forfait.\n' : '9.56 CAD by your plan.\n',
      passesThrough: this.passesThrough, stepsJson: toJsonBytes([{ what: 'charge', exclVat: '4.47' }]),
      ...(this.taxes && { taxes: { taxes: this.taxes } }),
    };
  }

  private account(contractId: string, language = 'en') {
    if (!this.kept) throw new Rejected('accounts-not-kept', 'this operator keeps no accounts of drivers');
    if (!contractId.startsWith('CA-CPK-')) throw new Rejected('unknown-account', `${contractId} has no account`);
    return {
      accountId: 'a1', contractId, planId: 'plus', planName: 'Plus', planText: language === 'fr' ? 'Vous payez.' : 'You pay.', exhausted: this.noCredit,
      openedAt: '2022-02-01T17:00:00Z', balances: [{ currency: 'CAD', balance: '-9.5', creditLimit: '20', left: '10.5' }],
    };
  }

  async answer(bus: Bus): Promise<void> {
    await bus.answer(getAccountLineProof, (requests) => each(requests, async ({ contractId, lineId, forDriver }) => {
      if (lineId !== '6') throw new Rejected('unknown-line', `line: the account has no line ${lineId}`);
      if (forDriver) throw new Rejected('shows-costs', 'line: the entry of 6 holds what it costs the operator');
      return { proofJson: toJsonBytes({ roamwatt_receipt: 1, ledger: 'CA*CPK/accounts', contractId }) };
    }));
    await bus.answer(getRetail, (requests) => requests.map(({ cdrId, language }) => {
      if (!this.kept) return { state: 'not-kept' };
      return this.off.has(cdrId) ? { state: 'none' } : { state: 'booked', price: this.price(undefined, language) };
    }));
    await bus.answer(priceForDriver, (requests) => requests.map(({ startedAt, language }) => (
      this.kept ? { kept: true, limitReached: this.limitReached, price: this.price(startedAt, language) } : { kept: false, limitReached: false })));
    await bus.answer(getAccount, (requests) => each(requests, async ({ contractId, language }) => ({ account: this.account(contractId, language) })));
    await bus.answer(listAccounts, (requests) => requests.map(() => ({ accounts: [this.account('CA-CPK-C1')], next: '7' })));
    await bus.answer(listAccountLines, (requests) => each(requests, async ({ after, language }) => ({
      lines: after === '' ? [{
        id: '6', kind: 'charge', at: '2022-02-01T18:22:00Z', currency: 'CAD', amount: '-9.5', cdrId: 'R-1',
        party: { countryCode: 'CA', partyId: 'BCT' }, text: this.price(undefined, language).text.trimEnd(),
      }] : [],
      next: after === '' ? '5' : '',
    })));
    await bus.answer(getAccountStatement, (requests) => each(requests, async ({ contractId, month, after }) => {
      this.account(contractId);
      const page = after === '' ? lines.slice(0, 1) : lines.slice(1);
      return { statementJson: toJsonBytes(statementOf(contractId, month)), linesJson: page.map(toJsonBytes), next: after === '' ? '6' : '' };
    }));
    await bus.answer(changeAccount, (requests) => each(requests, async (request) => {
      this.changes.push(request);
      return { account: this.account(request.contractId) };
    }));
    await bus.answer(bookPayment, (requests) => each(requests, async (request) => {
      this.payments.push(request);
      return { account: this.account(request.contractId) };
    }));
    await bus.answer(releaseCharge, (requests) => requests.map(() => ({ state: 'booked', price: this.price() })));
  }
}

const taxes = [{ code: 'GST', rate: '5', amount: '0.46' }];
const statementOf = (contract_id: string, month: string) => ({
  contract_id, month, time_zone: 'America/Vancouver', from: '2022-02-01T08:00:00Z', to: '2022-03-01T08:00:00Z', closed: true,
  currencies: [{
    currency: 'CAD', opening_balance: '5.00', charges: '-9.56', refunds: '0.00', payments: '2.00', closing_balance: '-2.56', taxes,
  }],
});
const lines = [
  {
    id: '6', kind: 'charge', at: '2022-02-01T18:22:00Z', currency: 'CAD', receipt: { country_code: 'CA', party_id: 'BCT', cdr_id: 'R-1' },
    started_at: '2022-02-01T17:00:00Z', energy_kwh: '12.4', excl_tax: '9.10', incl_tax: '9.56', taxes, amount: '-9.56', balance: '-4.56',
  },
  { id: '7', kind: 'payment', at: '2022-02-02T18:22:00Z', currency: 'CAD', amount: '2.00', balance: '-2.56' },
];
