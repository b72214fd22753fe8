import { type Bus, isAskFailure } from '#bus';
import { getRetail, priceForDriver, type RetailPrice, type TaxWithin } from '#contracts/accounts';
import { busParty } from '#contracts/party';
import { decimal } from '#money';
import type { Cdr, Session } from '#ocpi';
import type { Language } from './language.ts';
import { type CostShown, money, type Money } from './charge.ts';

/** What a driver pays, as the cdr-ledger prices it: what a charge costs at the operator is not shown. */

/** What is shown of a CDR: `undefined` for one that the driver has nothing to pay for. */
export interface ShownRetail {
  readonly total: Money;
  /** Within it, as they were noted with the charge; undefined where none were. */
  readonly taxes: readonly Pick<TaxWithin, 'code' | 'rate' | 'amount'>[] | undefined;
  /** The CDR's own costs may be shown: they are what the driver pays. */
  readonly passesThrough: boolean;
  /** How the price comes about; undefined where no accounts are kept. */
  readonly text: string | undefined;
}

const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 3_000;

export class RetailPrices {
  constructor(private readonly bus: Bus) {}

  /** Of each CDR. Throws what an ask does. */
  async ofCdrs(cdrs: readonly Cdr[], language: Language = 'en'): Promise<(ShownRetail | undefined)[]> {
    const answers = await this.bus.askMany(getRetail, cdrs.map((cdr) => (
      { party: busParty(cdr), cdrId: cdr.id, language })));
    return answers.map((answer, index) => {
      if (isAskFailure(answer)) throw answer;
      const { total_cost, currency } = cdrs[index]!;
      if (answer.state === 'not-kept') return { total: money(total_cost, currency), taxes: undefined, passesThrough: true, text: undefined };
      const { price } = answer;
      if (answer.state !== 'booked' || !price) return undefined;
      return { total: moneyOf(price), taxes: price.taxes?.taxes, passesThrough: price.passesThrough, text: price.text };
    });
  }

  /** What each Session costs its driver so far; nothing where it cannot be said now. */
  async ofSessions(sessions: readonly Session[]): Promise<CostShown[]> {
    const answers = await this.bus.askMany(priceForDriver, sessions.map(requestOf), { timeoutMs: TIMEOUT_MS });
    return answers.map((answer, index) => {
      if (isAskFailure(answer)) return { limitReached: false };
      const { total_cost, currency } = sessions[index]!;
      const { price, limitReached, kept } = answer;
      const own = kept || total_cost === undefined ? {} : { cost: money(total_cost, currency) };
      return { limitReached, ...(price && total_cost !== undefined ? { cost: moneyOf(price) } : own) };
    });
  }

  /** Of charges that are only thought of. `undefined` where the price cannot be said now. */
  async ofQuotes(tokenUid: string, quotes: readonly QuotedCharge[], language: Language): Promise<(RetailQuote | undefined)[]> {
    const requests = quotes.map((quoted) => ({ ...quoted, tokenUid, language }));
    const answers = await this.bus.askMany(priceForDriver, requests, { timeoutMs: TIMEOUT_MS });
    return answers.map((answer, index) => {
      if (isAskFailure(answer)) return undefined;
      const { price, kept } = answer;
      if (price) return { ...moneyOf(price), ...(price.passesThrough ? {} : { sentence: price.text.split('\n')[0]! }) };
      const { exclVat, inclVat, currency } = quotes[index]!;
      return kept ? undefined : { excl_vat: exclVat, ...(inclVat === undefined ? {} : { incl_vat: inclVat }), currency };
    });
  }
}

export interface QuotedCharge {
  readonly party: { readonly countryCode: string; readonly partyId: string };
  readonly locationId: string;
  readonly currency: string;
  readonly exclVat: string;
  readonly inclVat?: string;
  readonly energyKwh: string;
  readonly hours: string;
  readonly startedAt: string;
}

/** `sentence`: what the price is by, where that is not the tariff. */
export type RetailQuote = Money & { readonly sentence?: string };

function requestOf(session: Session) {
  const { total_cost, currency, cdr_token, location_id, start_date_time } = session;
  const ms = Date.parse(session.end_date_time ?? session.last_updated) - Date.parse(start_date_time);
  return {
    tokenUid: cdr_token.uid,
    contractId: cdr_token.contract_id,
    party: busParty(session),
    currency,
    exclVat: decimal(total_cost?.excl_vat ?? 0).toString(),
    ...(total_cost?.incl_vat === undefined ? {} : { inclVat: decimal(total_cost.incl_vat).toString() }),
    energyKwh: decimal(session.kwh).toString(),
    hours: decimal(Math.max(0, ms)).divide(decimal(HOUR_MS), 4, 'half-away-from-zero').toString(),
    startedAt: start_date_time,
    locationId: location_id,
    sessionId: session.id,
  };
}

function moneyOf({ exclVat, inclVat, currency }: RetailPrice): Money {
  return money({ excl_vat: exclVat, ...(inclVat === undefined ? {} : { incl_vat: inclVat }) }, currency);
}

const COSTS = [
  'tariffs', 'total_cost', 'total_fixed_cost', 'total_energy_cost', 'total_time_cost', 'total_parking_cost',
  'total_reservation_cost', 'remark',
] as const;

/** A CDR without what the operator asks for it. */
export function withoutCosts(cdr: Cdr): Omit<Cdr, (typeof COSTS)[number]> {
  const { ...shown } = cdr;
  for (const field of COSTS) delete (shown as Partial<Cdr>)[field];
  return shown;
}
