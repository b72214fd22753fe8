import { Refused } from '#bus';
import { getAccount } from '#contracts/accounts';
import { type Decimal, decimal } from '#money';
import type { Book, Findings } from './torture-book.ts';
import { driverOf } from './torture-charge.ts';
import type { Neighbour } from './torture-neighbour.ts';

/** An entry of the ledger of drivers' accounts. */
export interface AccountEntry {
  readonly type: string;
  readonly accountId: string;
  readonly commandId?: string;
  readonly currency?: string;
  readonly amount?: string;
  readonly payable?: string;
  readonly creditCdrId?: string;
  readonly cdr?: { readonly id: string };
  readonly price?: { readonly currency: string; readonly payable: string };
}

export interface CheckedAccounts {
  readonly neighbour: Neighbour;
  readonly entries: readonly AccountEntry[];
  readonly book: Book;
  /** Of the other ledger, which charges the driver. */
  readonly theirs: Book;
  readonly wrong: (what: string) => void;
  readonly same: (what: string, found: readonly string[], wanted: Iterable<string>) => void;
  readonly findings: Findings;
}

/**
 * The driver's account against what was sent and paid: each CDR is charged once, each credit paid back once, each payment
 * booked once, and the balance is the sum of it all, however often a process died over it.
 */
export async function checkAccounts({ neighbour, entries, book, theirs, wrong, same, findings }: CheckedAccounts): Promise<void> {
  const of = (type: string) => entries.filter((entry) => entry.type === type);
  const bills = [...theirs.bills.values()];
  if (of('AccountOpened').length !== 1) wrong(`${of('AccountOpened').length} accounts were opened for one driver`);
  same('paid', of('PaymentBooked').map(({ commandId, amount }) => `${commandId} of ${amountText(amount!)}`),
    [...book.payments].map(([commandId, amount]) => `${commandId} of ${amountText(amount)}`));
  same('charged', of('ChargeBooked').map(({ cdr }) => cdr!.id), bills.filter(({ cdr }) => !cdr.credit).map(({ id }) => id));
  same('refunded', of('ChargeRefunded').map(({ creditCdrId }) => creditCdrId!), bills.filter(({ cdr }) => cdr.credit).map(({ id }) => id));

  const summed = textOf(sumsOf(entries));
  const rows = await neighbour.query<{ currency: string; amount: string }>(
    'SELECT currency, balance::text AS amount FROM cdr_ledger.account_balances',
  );
  const lines = await neighbour.query<{ currency: string; amount: string }>(
    'SELECT currency, sum(amount)::text AS amount FROM cdr_ledger.account_lines GROUP BY currency');
  for (const [what, found] of [['balance', rows], ['sum of the lines', lines]] as const) {
    const text = textOf(found.map(({ currency, amount }) => [currency, decimal(amount)] as const));
    if (text !== summed) wrong(`the ${what} is ${text}, and the entries come to ${summed}`);
  }
  const answer = await neighbour.ask(getAccount, { contractId: driverOf(neighbour.side.party).contract_id });
  if (answer instanceof Refused) return wrong(`the account: ${answer.message}`);
  const told = textOf(answer.account!.balances.map(({ currency, balance }) => [currency, decimal(balance)] as const));
  if (told !== summed) wrong(`the account is said to be at ${told}, and the entries come to ${summed}`);
  findings.count('entries of accounts', entries.length);
}

/** What the entries come to, by currency. */
function sumsOf(entries: readonly AccountEntry[]): [string, Decimal][] {
  const sums = new Map<string, Decimal>();
  const add = (currency: string, amount: Decimal) => sums.set(currency, (sums.get(currency) ?? decimal(0)).add(amount));
  for (const { type, currency = '', amount = '0', payable = '0', price } of entries) {
    if (type === 'PaymentBooked') add(currency, decimal(amount));
    if (type === 'ChargeBooked') add(price!.currency, decimal(price!.payable).neg());
    if (type === 'ChargeRefunded') add(currency, decimal(payable).neg());
  }
  return [...sums];
}

/** A currency at 0 is as one that is not there. */
function textOf(sums: Iterable<readonly [string, Decimal]>): string {
  return [...sums].filter(([, sum]) => !sum.isZero()).map(([currency, sum]) => `${sum.toString()} ${currency}`).sort().join(', ');
}

function amountText(amount: string): string {
  return decimal(amount).toString();
}
