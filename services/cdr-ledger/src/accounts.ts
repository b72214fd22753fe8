import { Rejected } from '#decider';
import { type Decimal, decimal, digitsOf, InvalidDecimal, isCurrency } from '#money';
import type { EventStore } from '#event-store';
import { fold } from '#decider';
import { type Party, sameId, type Token } from '#ocpi';
import type { Database } from '#postgres';
import { monthWindow } from '#settlement';
import { type Clock, instant, type Zone } from '#time';
import { account, type AccountCommand, type AccountEvent, type AccountRefusal, accountStream } from './account.ts';
import { accountStatement } from './account-statement.ts';
import {
  type BookedCharge,
  charge,
  type Charge,
  type ChargedTax,
  type ChargeEvent,
  type ChargeRefusal,
  chargeStream,
  refundsOf,
} from './charge.ts';
import type { Following } from './follow.ts';
import { findHolder, type Holder, holderOf, ensureHolder, noteToken, type Payer } from './holders.ts';
import type { PlaceOf } from './places.ts';
import { passesThrough, type PlanVersion } from './plan.ts';
import type { PlanBook } from './plan-book.ts';
import {
  type AccountLine,
  accountsLimitedOtherwise,
  type Balance,
  balancesOf,
  findAccount,
  findLine,
  leftOf,
  type LinesAsked,
  linesOf,
  type ListedAccount,
  pageOfAccounts,
} from './projections/account-rows.ts';
import { accountMonth } from './projections/account-month.ts';
import { findCdr } from './projections/listed-cdr.ts';
import type { Recorder } from './record.ts';
import type { ForDriver, Priced, RetailPricing } from './retail-pricing.ts';
import { type Running, unbilledOf } from './running.ts';

export interface AccountsParts {
  readonly db: Database;
  readonly store: EventStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly pricing: RetailPricing;
  readonly plans: PlanBook;
  readonly placeOf: PlaceOf;
  readonly running: Running;
  readonly rows: Pick<Following, 'caughtUp'>;
  readonly booking: Pick<Following, 'caughtUp'>;
  readonly list: Pick<Following, 'caughtUp'>;
  /** Whose calendar the months are of. */
  readonly zone: Zone;
}

export type AccountsRefusal =
  | AccountRefusal | ChargeRefusal | 'accounts-not-kept' | 'unknown-plan' | 'invalid-object'
  | 'unknown-line' | 'shows-costs';

export interface StandingAccount extends ListedAccount {
  readonly plan: PlanVersion;
  readonly balances: readonly (Balance & { readonly left: Decimal | undefined })[];
}

/** What a CDR or Credit CDR is on its driver's account. */
export interface RetailOfCdr extends Priced {
  readonly state: 'booked' | 'held';
  /** As they were noted with it. */
  readonly taxes?: readonly ChargedTax[];
}

/** So long after its instant an entry of a month may still come into the log: decided before, and then held up. */
const ON_THEIR_WAY_MS = 3_600_000;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The verbs of drivers' accounts. Whoever reads sees all that was recorded before. */
export class Accounts {
  constructor(private readonly parts: AccountsParts) {}

  /** A token of ours: its contract has an account from now on. */
  async open({ uid, contract_id, ...party }: Party & Pick<Token, 'uid' | 'contract_id'>): Promise<void> {
    const { db, pricing } = this.parts;
    const holder = await ensureHolder(db, contract_id, party);
    await noteToken(db, uid, contract_id);
    await pricing.opened(holder);
  }

  async find(contractId: string): Promise<StandingAccount> {
    return this.standing((await this.holder(contractId)).accountId);
  }

  async page(after: bigint, limit: number): Promise<StandingAccount[]> {
    await this.caughtUp();
    const page = await pageOfAccounts(this.parts.db, after, limit);
    return Promise.all(page.map((listed) => this.withBalances(listed)));
  }

  async lines(contractId: string, asked: LinesAsked): Promise<AccountLine[]> {
    const { accountId } = await this.holder(contractId);
    await this.caughtUp();
    return linesOf(this.parts.db, accountId, asked);
  }

  /**
   * A month of the account; one that is closed stays as it is. `orAccount`: the id may be the account's own.
   * Throws Rejected.
   */
  async statement(id: string, month: string, { orAccount = false }: { orAccount?: boolean } = {}) {
    const { db, list, zone, clock } = this.parts;
    const ofErased = orAccount && UUID.test(id) && !(await holderOf(db, id));
    const { accountId, contractId: contract_id } = await this.standing(ofErased ? id.toLowerCase() : (await this.holder(id)).accountId);
    const window = monthWindow(month, zone);
    if (!window) throw refuse('invalid-object', `month: ${month.slice(0, 20)} is none, such as 2022-02`);
    await list.caughtUp();
    const closed = instant(window.to) + ON_THEIR_WAY_MS <= instant(clock.iso());
    return { account_id: accountId, contract_id, month, time_zone: zone.name, ...window, closed, ...accountStatement(await accountMonth(db, accountId, window)) };
  }

  /**
   * Where a line of this account stands in the log. To a driver only what says nothing of our own
   * costs is shown: a payment, or a charge that is passed on as it is. Throws Rejected.
   */
  async lineAt(contractId: string, lineId: string, { forDriver }: { forDriver: boolean }): Promise<bigint> {
    const { accountId } = await this.holder(contractId);
    await this.caughtUp();
    const line = /^\d{1,18}$/.test(lineId) ? await findLine(this.parts.db, accountId, BigInt(lineId)) : undefined;
    if (!line) throw refuse('unknown-line', `line: the account has no line ${lineId.slice(0, 20)}`);
    if (forDriver && !showsNoCosts(JSON.parse(line.data) as AccountEvent | ChargeEvent))
      throw refuse('shows-costs', `line: the entry of ${lineId} holds what it costs the operator, who can show its proof`);
    return line.position;
  }

  /** An operator's changes: the plan for charges from now on, and what may be owed. */
  async change(
    contractId: string,
    ordered: {
      readonly commandId: string | undefined;
      readonly planId?: string | undefined;
      readonly limits: readonly { readonly currency: string; readonly amount?: string | undefined }[];
    },
  ): Promise<StandingAccount> {
    const { commandId, planId } = ordered;
    if (planId !== undefined && !this.parts.plans.has(planId))
      throw refuse('unknown-plan', `plan_id: there is no plan ${planId.slice(0, 40)}; there is ${this.parts.plans.named}`);
    const limits = ordered.limits.map(({ currency, amount }) => ({
      currency: readCurrency(currency),
      amount: amount === undefined ? undefined : readAmount(amount, currency, { least: 0 }),
    }));
    const { accountId } = await this.holder(contractId);
    const at = this.parts.clock.iso();
    const part = (name: string) => (commandId === undefined ? {} : { commandId: `${commandId} ${name}` });
    if (planId !== undefined) await this.record(accountId, { type: 'ChoosePlan', ...part('plan'), planId, at });
    for (const { currency, amount } of limits)
      await this.record(accountId, { type: 'SetLimit', ...part(`limit ${currency}`), currency, amount, at });
    return this.standing(accountId);
  }

  /** The settings' limits, on every account for which nobody ordered another one. */
  async followLimits(limits: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    await this.parts.rows.caughtUp();
    for (let after = 0n; !signal.aborted;) {
      const page = await accountsLimitedOtherwise(this.parts.db, limits, after);
      for (const { accountId, position } of page) {
        if (signal.aborted) return;
        await this.record(accountId, { type: 'FollowLimits', limits, at: this.parts.clock.iso() });
        after = position;
      }
      if (page.length === 0) return;
    }
  }

  /** What the driver paid, or was paid out. */
  async pay(
    contractId: string,
    paid: { readonly commandId: string; readonly currency: string; readonly amount: string },
  ): Promise<StandingAccount> {
    const currency = readCurrency(paid.currency);
    const amount = readAmount(paid.amount, currency, {});
    const { accountId } = await this.holder(contractId);
    const at = this.parts.clock.iso();
    await this.record(accountId, {
      type: 'BookPayment', commandId: paid.commandId, currency, amount, at,
    });
    return this.standing(accountId);
  }

  /** Undefined for a CDR that is on nobody's account. */
  async retailOf(party: Party, cdrId: string): Promise<RetailOfCdr | undefined> {
    const { db, booking } = this.parts;
    await booking.caughtUp();
    const { id, isCredit } = await originalOf(db, party, cdrId);
    const state = await this.charge({ ...party, id });
    if (isCredit) return refundedBy(state, cdrId);
    return 'charge' in state
      ? { state: state.status === 'held' ? 'held' : 'booked', ...state.charge }
      : undefined;
  }

  /** What a charge will cost its driver; undefined for a driver that has no account. */
  async priceFor(
    payer: Payer,
    charged: Omit<ForDriver, 'place'> & { readonly locationId: string },
  ): Promise<Priced | undefined> {
    const { db, pricing, placeOf } = this.parts;
    const holder = await findHolder(db, payer);
    if (!holder) return undefined;
    const { locationId, ...rest } = charged;
    const place = locationId === '' ? undefined : await placeOf(charged.party, locationId);
    return pricing.price(holder, { ...rest, place });
  }

  wasStopped(party: Party, sessionId: string): Promise<boolean> {
    return this.parts.running.wasStopped(party, sessionId);
  }

  /** Books what was held back. */
  async release(party: Party, cdrId: string): Promise<RetailOfCdr | undefined> {
    const { db, recorder, clock, booking } = this.parts;
    await booking.caughtUp();
    const { id } = await originalOf(db, party, cdrId);
    const order = async () => ({
      parts: [],
      command: { type: 'ReleaseCharge' as const, at: clock.iso() },
    });
    await recorder.record(chargeStream({ ...party, id }), charge, order);
    return this.retailOf(party, cdrId);
  }

  /** All CDRs are booked, and all that is booked is in the rows. */
  private async caughtUp(): Promise<void> {
    await this.parts.booking.caughtUp();
    await this.parts.rows.caughtUp();
  }

  private async charge(cdr: Party & { readonly id: string }): Promise<Charge> {
    const stored = await this.parts.store.read(chargeStream(cdr));
    return fold(charge, stored.map(({ data }) => JSON.parse(data) as ChargeEvent));
  }

  private async holder(contractId: string): Promise<Holder> {
    const holder = await holderOf(this.parts.db, contractId);
    if (!holder) throw refuse('unknown-account', `contract_id: ${contractId.slice(0, 40)} has no account; one whose contract was erased has its account_id alone`);
    return holder;
  }

  private async standing(accountId: string): Promise<StandingAccount> {
    await this.caughtUp();
    const listed = await findAccount(this.parts.db, accountId);
    if (!listed) throw refuse('unknown-account', 'contract_id: its account is not open yet');
    return this.withBalances(listed);
  }

  private async withBalances(listed: ListedAccount): Promise<StandingAccount> {
    const { db, clock, plans } = this.parts;
    const { accountId, planId } = listed;
    const unbilled = await unbilledOf(db, accountId, clock);
    const balances = (await balancesOf(db, accountId)).map((balance) => ({
      ...balance,
      left: leftOf(balance, unbilled.get(balance.currency)?.amount),
    }));
    return { ...listed, plan: plans.at(planId, clock.iso()), balances };
  }

  private async record(accountId: string, command: AccountCommand): Promise<void> {
    await this.parts.recorder.record(accountStream(accountId), account, async () => ({
      parts: [],
      command,
    }));
  }
}

function showsNoCosts(event: AccountEvent | ChargeEvent): boolean {
  if (event.type === 'PaymentBooked') return true;
  return event.type === 'ChargeBooked' && passesThrough(event.plan.terms, event.price);
}

/** Of a Credit CDR, what it credits. */
async function originalOf(db: Database, party: Party, cdrId: string): Promise<{ id: string; isCredit: boolean }> {
  const { credit, credit_reference_id: id = '' } = (await findCdr(db, party, cdrId))?.cdr ?? {};
  return credit ? { id, isCredit: true } : { id: cdrId, isCredit: false };
}

function refundedBy(state: Charge, creditCdrId: string): RetailOfCdr | undefined {
  if (state.status !== 'booked') return undefined;
  const { charge: booked, refunds, credits } = state;
  const isIt = (one: { readonly creditCdrId: string }) => sameId(one.creditCdrId, creditCdrId);
  const paid = refunds.find(isIt);
  const [refund] = paid ? [paid] : refundsOf(booked, credits.filter(isIt), refunds);
  if (!refund) return undefined;
  const { currency, exclVat, inclVat, payable, taxes } = refund;
  const price = {
    currency, exclVat, payable, steps: [], exception: 'paid-back' as const,
    ...(inclVat === undefined ? {} : { inclVat }),
  };
  return { state: paid ? 'booked' : 'held', plan: booked.plan, price: passingThrough(booked, price), ...(taxes && { taxes }) };
}

/** A refund shows as much as its charge did. */
function passingThrough({ price }: BookedCharge, refund: Priced['price']): Priced['price'] {
  return price.exception === 'own-station' ? { ...refund, exception: 'own-station' } : refund;
}

function readCurrency(text: string): string {
  if (isCurrency(text)) return text;
  throw refuse('invalid-object', `currency: ${text.slice(0, 20)} is no ISO 4217 code`);
}

const AMOUNT_MAX = decimal(100_000_000);

function readAmount(text: string, currency: string, { least }: { least?: number }): string {
  const said = text.slice(0, 40);
  let amount: Decimal;
  try {
    amount = decimal(text);
  } catch (error) {
    if (!(error instanceof InvalidDecimal)) throw error;
    throw refuse('invalid-object', `amount: ${said} is no decimal number`);
  }
  const digits = digitsOf(currency);
  if (!amount.roundTo(digits, 'toward-zero').equals(amount))
    throw refuse('invalid-object', `amount: ${said} has more than the ${digits} decimals of ${currency}`);
  if (amount.abs().compare(AMOUNT_MAX) > 0 || (least !== undefined && amount.compare(decimal(least)) < 0))
    throw refuse('invalid-object', `amount: ${said} is not between ${least ?? `-${AMOUNT_MAX}`} and ${AMOUNT_MAX}`);
  if (least === undefined && amount.isZero()) throw refuse('invalid-object', 'amount: is zero');
  return amount.toString();
}

function refuse(code: AccountsRefusal, detail: string): Rejected<AccountsRefusal> {
  return new Rejected(code, detail);
}
