import { Decimal, decimal } from '#money';
import { type Party, partyText } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import type { ExplainLanguage } from '#pricing';
import type { AccountEvent } from '../account.ts';
import type { ChargeEvent } from '../charge.ts';
import type { Follower } from '../follow.ts';
import { type LedgerEvent, readEvent } from '../ledger-event.ts';
import { retailText } from '../plan-text.ts';
import { WORDS } from '../plan-words.ts';

/** Drivers' accounts as they stand, and the lines of their statements; whose they are is not in here. */

export const accountRows: Follower = {
  name: 'account-rows',
  async apply(tx, events) {
    let lines: (NewLine & { position: bigint })[] = [];
    const write = async () => {
      if (lines.length > 0) await addLines(tx, lines);
      lines = [];
    };
    for (const stored of events) {
      if (stored.type.startsWith('Cdr')) continue;
      const event = readEvent(stored);
      if (!isOfAccount(event)) continue;
      const line = lineOf(event);
      if (line) lines.push({ ...line, position: stored.position });
      else {
        await write();
        await applyEvent(tx, stored.position, event);
      }
    }
    await write();
  },
  tables: ['account_lines', 'account_balances', 'accounts'],
};

export function isOfAccount(event: LedgerEvent): event is AccountEvent | ChargeEvent {
  return 'accountId' in event;
}

async function applyEvent(tx: Tx, position: bigint, event: AccountEvent | ChargeEvent): Promise<void> {
  const { accountId } = event;
  switch (event.type) {
    case 'AccountOpened': {
      await tx.query(
        `INSERT INTO accounts (account_id, "position", plan_id, exhausted, opened_at)
         VALUES ($1, $2, $3, false, $4)`,
        [accountId, position, event.planId, event.at],
      );
      for (const [currency, amount] of Object.entries(event.limits))
        await setLimit(tx, accountId, currency, amount);
      return;
    }
    case 'PlanChosen':
      await tx.query('UPDATE accounts SET plan_id = $2 WHERE account_id = $1', [accountId, event.planId]);
      return;
    case 'LimitSet':
      return setLimit(tx, accountId, event.currency, event.amount);
    case 'CreditExhausted':
    case 'CreditRestored':
      await tx.query('UPDATE accounts SET exhausted = $2 WHERE account_id = $1', [
        accountId,
        event.type === 'CreditExhausted',
      ]);
      return;
    case 'PaymentBooked':
    case 'ChargeBooked':
    case 'ChargeRefunded':
    case 'ChargeHeld':
    case 'ChargeForestalled':
      return;
  }
}

interface NewLine {
  readonly accountId: string;
  readonly kind: 'charge' | 'refund' | 'payment';
  readonly at: string;
  readonly currency: string;
  /** As it changes the balance. */
  readonly amount: string;
  readonly cdr?: Party & { readonly id: string };
  readonly text: string;
}

/** Of what changes the balance; its row holds the English text. */
function lineOf(event: AccountEvent | ChargeEvent, language: ExplainLanguage = 'en'): NewLine | undefined {
  const { accountId, at } = event;
  if (event.type === 'PaymentBooked') {
    const { currency, amount } = event;
    return { accountId, kind: 'payment', at, currency, amount, text: '' };
  }
  if (event.type === 'ChargeRefunded') {
    const { cdr, creditCdrId, currency, payable } = event;
    const amount = decimal(payable).neg().toString();
    const text = WORDS[language].paidBack(cdr.id);
    return { accountId, kind: 'refund', at, currency, amount, cdr: { ...cdr, id: creditCdrId }, text };
  }
  if (event.type !== 'ChargeBooked') return undefined;
  const { cdr, price, plan, energyKwh } = event;
  const text = `${WORDS[language].number(energyKwh)} kWh. ${retailText(price, plan, language)}`.trimEnd();
  const amount = decimal(price.payable).neg().toString();
  return { accountId, kind: 'charge', at, currency: price.currency, amount, cdr, text };
}

async function addLines(tx: Tx, lines: readonly (NewLine & { position: bigint })[]): Promise<void> {
  const column = (pick: (line: (typeof lines)[number]) => unknown) => lines.map(pick);
  await tx.query(
    `INSERT INTO account_lines (account_id, "position", kind, at, currency, amount, party, cdr_id, text)
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::numeric[],
       $7::text[], $8::text[], $9::text[])`,
    [
      column(({ accountId }) => accountId),
      column(({ position }) => position),
      column(({ kind }) => kind),
      column(({ at }) => at),
      column(({ currency }) => currency),
      column(({ amount }) => amount),
      column(({ cdr }) => (cdr ? partyText(cdr) : null)),
      column(({ cdr }) => cdr?.id ?? null),
      column(({ text }) => text),
    ],
  );
  await tx.query(
    `INSERT INTO account_balances AS b (account_id, currency, balance)
     SELECT account_id, currency, sum(amount) FROM unnest($1::uuid[], $2::text[], $3::numeric[])
       AS l (account_id, currency, amount) GROUP BY 1, 2
     ON CONFLICT (account_id, currency) DO UPDATE SET balance = b.balance + excluded.balance`,
    [
      column(({ accountId }) => accountId),
      column(({ currency }) => currency),
      column(({ amount }) => amount),
    ],
  );
}

async function setLimit(tx: Tx, accountId: string, currency: string, amount: string | undefined) {
  await tx.query(
    `INSERT INTO account_balances (account_id, currency, balance, credit_limit) VALUES ($1, $2, 0, $3)
     ON CONFLICT (account_id, currency) DO UPDATE SET credit_limit = excluded.credit_limit`,
    [accountId, currency, amount ?? null],
  );
}

export interface ListedAccount {
  readonly accountId: string;
  readonly position: bigint;
  readonly planId: string;
  readonly exhausted: boolean;
  readonly openedAt: string;
  /** Empty where the contract was erased. */
  readonly contractId: string;
}

export interface Balance {
  readonly currency: string;
  readonly balance: Decimal;
  readonly creditLimit: Decimal | undefined;
}

const ACCOUNT = `SELECT a.account_id AS "accountId", a."position", a.plan_id AS "planId", a.exhausted,
  a.opened_at AS "openedAt", coalesce(h.contract_id, '') AS "contractId"
  FROM accounts a LEFT JOIN account_holders h ON h.account_id = a.account_id`;

export async function findAccount(db: Queryable, accountId: string): Promise<ListedAccount | undefined> {
  return (await db.query<ListedAccount>(`${ACCOUNT} WHERE a.account_id = $1`, [accountId])).rows[0];
}

/** In the order of their opening, after a position. */
export async function pageOfAccounts(db: Queryable, after: bigint, limit: number): Promise<ListedAccount[]> {
  const page = `${ACCOUNT} WHERE a."position" > $1 ORDER BY a."position" LIMIT $2`;
  return (await db.query<ListedAccount>(page, [after, limit])).rows;
}

/** Accounts, in the order of their opening and after a position, that have other limits than these, a few of them. */
export async function accountsLimitedOtherwise(
  db: Queryable, limits: Readonly<Record<string, string>>, after: bigint,
): Promise<{ accountId: string; position: bigint }[]> {
  const { rows } = await db.query<{ accountId: string; position: bigint }>(
    `SELECT a.account_id AS "accountId", a."position" FROM accounts a JOIN account_holders h USING (account_id)
     WHERE a."position" > $2 AND (EXISTS (
       SELECT FROM jsonb_each_text($1::jsonb) l LEFT JOIN account_balances b ON b.account_id = a.account_id AND b.currency = l.key
       WHERE b.credit_limit IS DISTINCT FROM l.value::numeric)
     OR EXISTS (SELECT FROM account_balances b WHERE b.account_id = a.account_id AND b.credit_limit IS NOT NULL
       AND NOT $1::jsonb ? b.currency))
     ORDER BY a."position" LIMIT 500`,
    [JSON.stringify(limits), after],
  );
  return rows;
}

export async function balancesOf(db: Queryable, accountId: string): Promise<Balance[]> {
  const { rows } = await db.query<{ currency: string; balance: string; credit_limit: string | null }>(
    `SELECT currency, balance, credit_limit FROM account_balances WHERE account_id = $1 ORDER BY currency`,
    [accountId],
  );
  return rows.map(({ currency, balance, credit_limit }) => ({
    currency,
    balance: decimal(balance),
    creditLimit: credit_limit === null ? undefined : decimal(credit_limit),
  }));
}

/** What may still be charged; undefined where any amount may. */
export function leftOf({ balance, creditLimit }: Balance, unbilled = Decimal.zero): Decimal | undefined {
  return creditLimit === undefined ? undefined : balance.add(creditLimit).sub(unbilled);
}

export interface AccountLine {
  readonly position: bigint;
  readonly kind: NewLine['kind'];
  readonly at: string;
  readonly currency: string;
  readonly amount: Decimal;
  readonly party: string | null;
  readonly cdrId: string | null;
  readonly text: string;
}

/** The entry of one line of an account. */
export async function findLine(
  db: Queryable,
  accountId: string,
  position: bigint,
): Promise<{ position: bigint; data: string } | undefined> {
  const { rows } = await db.query<{ position: bigint; data: string }>(
    `SELECT l."position", e.data FROM account_lines l JOIN events e ON e."position" = l."position"
     WHERE l.account_id = $1 AND l."position" = $2`,
    [accountId, position],
  );
  return rows[0];
}

export interface LinesAsked {
  readonly before: bigint;
  readonly limit: number;
  readonly language: ExplainLanguage;
}

/** Newest first, before a position. */
export async function linesOf(
  db: Queryable,
  accountId: string,
  { before, limit, language }: LinesAsked,
): Promise<AccountLine[]> {
  const { rows } = await db.query<Omit<AccountLine, 'amount'> & { amount: string }>(
    `SELECT "position", kind, at, currency, amount, party, cdr_id AS "cdrId", text FROM account_lines
     WHERE account_id = $1 AND "position" < $2 ORDER BY "position" DESC LIMIT $3`,
    [accountId, before, limit],
  );
  const texts = language === 'en' ? undefined : await textsOf(db, rows, language);
  return rows.map(({ amount, text, ...line }) => (
    { ...line, text: texts?.get(line.position) ?? text, amount: decimal(amount) }));
}

/** In another language, from the entries themselves. */
async function textsOf(
  db: Queryable,
  lines: readonly { readonly position: bigint }[],
  language: ExplainLanguage,
): Promise<Map<bigint, string>> {
  const { rows } = await db.query<{ position: bigint; data: string }>(
    'SELECT "position", data FROM events WHERE "position" = ANY($1::bigint[])',
    [lines.map(({ position }) => position)],
  );
  return new Map(rows.map(({ position, data }) => {
    const event = readEvent({ data });
    return [position, isOfAccount(event) ? (lineOf(event, language)?.text ?? '') : ''];
  }));
}
