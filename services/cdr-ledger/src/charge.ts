import { type Decider, Rejected } from '#decider';
import { Decimal, decimal, digitsOf, min, sum } from '#money';
import { idKey, type Party, sameId } from '#ocpi';
import { splitTax } from '#taxes';
import type { NamedTax, PlanVersion, RetailPrice } from './plan.ts';
import { isAllBack, isMoreBack, type PriceBack } from './taken-back.ts';

/**
 * What one CDR costs its driver: the stream `charge-<country>-<party>-<cdr id>`, booked once and
 * refunded once by each Credit CDR, never more than it was. Nothing but the CDR's id is needed to know a repeat, however late it comes.
 */

export interface ChargedCdr extends Party {
  readonly id: string;
}

/** What is booked: priced once, by a plan as it then was, and never again. */
export interface BookedCharge {
  readonly ledger: string;
  readonly accountId: string;
  readonly cdr: ChargedCdr;
  readonly startedAt: string;
  /** Decimal text. */
  readonly energyKwh: string;
  /** What the CDR itself asks, without tax: a Credit CDR is measured by it. */
  readonly cdrExclVat: string;
  readonly plan: PlanVersion;
  readonly price: RetailPrice;
  /** Within it, as they were then; entries of former releases have none. */
  readonly taxes?: readonly ChargedTax[];
  readonly at: string;
}

export interface ChargedTax extends NamedTax {
  /** Rounded decimal text. */
  readonly amount: string;
}

export interface ChargeBooked extends BookedCharge {
  readonly type: 'ChargeBooked';
}

/** Kept off the account, for something is wrong with the CDR. */
export interface ChargeHeld extends BookedCharge {
  readonly type: 'ChargeHeld';
}

interface Credited {
  readonly ledger: string;
  readonly accountId: string;
  readonly cdr: ChargedCdr;
  readonly creditCdrId: string;
  /** What the Credit CDR takes back, without tax, decimal text not below zero. */
  readonly creditedExclVat: string;
  /** And of tax, not below zero; absent where it tells none, and in entries of former releases. */
  readonly creditedTax?: string;
  /** Of that; entries of former releases do not say. */
  readonly currency?: string;
  readonly at: string;
}

/** A Credit CDR that pays nothing back yet: its charge was held or is still to come, or it is held itself. */
export interface ChargeForestalled extends Credited {
  readonly type: 'ChargeForestalled';
}

export interface ChargeRefunded extends Credited {
  readonly type: 'ChargeRefunded';
  readonly currency: string;
  /** What is paid back, decimal text below zero (or 0). */
  readonly exclVat: string;
  readonly inclVat?: string;
  readonly payable: string;
  readonly taxes?: readonly ChargedTax[];
}

export type ChargeEvent = ChargeBooked | ChargeHeld | ChargeForestalled | ChargeRefunded;

export type ChargeCommand =
  | (BookedCharge & { readonly type: 'BookCharge'; readonly hold: boolean })
  | { readonly type: 'ReleaseCharge'; readonly at: string }
  /** `hold`: to be kept off the account where it is a second one, and takes back more than is left. */
  | (Credited & { readonly type: 'CreditCharge'; readonly hold?: boolean });

export type ChargeRefusal = 'unknown-charge';

export type Charge =
  | { readonly status: 'absent' }
  | { readonly status: 'forestalled'; readonly credits: readonly Credited[] }
  /** `credits`: each takes back a part of it, once it is on the account. */
  | { readonly status: 'held'; readonly charge: BookedCharge; readonly credits: readonly Credited[] }
  /** `credits`: held. */
  | {
      readonly status: 'booked'; readonly charge: BookedCharge;
      readonly refunds: readonly ChargeRefunded[]; readonly credits: readonly Credited[];
    }
  /** Held, and then credited in full: it never was on the account. */
  | { readonly status: 'cancelled' };

export function chargeStream({ country_code, party_id, id }: ChargedCdr): string {
  return `charge-${country_code.toUpperCase()}-${party_id.toUpperCase()}-${idKey(id)}`;
}

export const charge: Decider<Charge, ChargeCommand, ChargeEvent> = {
  initial: { status: 'absent' },

  decide(command, state) {
    switch (command.type) {
      case 'BookCharge': {
        const { hold, type: _, ...booked } = command;
        if (state.status === 'absent')
          return [{ ...booked, type: hold ? 'ChargeHeld' : 'ChargeBooked' }];
        if (state.status !== 'forestalled') return [];
        const credits = creditsOf(booked, state.credits);
        return hold && !isWhole(booked, credits)
          ? [{ ...booked, type: 'ChargeHeld' }]
          : [{ ...booked, type: 'ChargeBooked' }, ...refundsOf(booked, credits)];
      }
      case 'ReleaseCharge':
        if (state.status === 'absent' || state.status === 'forestalled')
          throw new Rejected<ChargeRefusal>('unknown-charge');
        if (state.status === 'cancelled') return [];
        return [
          ...(state.status === 'held' ? [{ ...state.charge, type: 'ChargeBooked' as const, at: command.at }] : []),
          ...refundsOf(
            state.charge,
            state.credits.map((credit) => ({ ...credit, at: command.at })),
            state.status === 'booked' ? state.refunds : [],
          ),
        ];
      case 'CreditCharge': {
        const { type: _, hold = false, ...credit } = command;
        if (isKnown(credit, state) || state.status === 'cancelled') return [];
        if ('charge' in state && creditsOf(state.charge, [credit]).length === 0) return [];
        // Once all is paid back, another credit is between us and the partner.
        if (state.status === 'booked' && !stands(state)) return [];
        if (state.status === 'booked' && !(hold && isTooMuch(state, credit)))
          return refundsOf(state.charge, [credit], state.refunds);
        return [{ ...credit, type: 'ChargeForestalled' }];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'ChargeBooked':
        return { status: 'booked', charge: bookedOf(event), refunds: [], credits: [] };
      case 'ChargeHeld':
        return {
          status: 'held',
          charge: bookedOf(event),
          credits: state.status === 'forestalled' ? creditsOf(event, state.credits) : [],
        };
      case 'ChargeForestalled': {
        const credits = [...('credits' in state ? state.credits : []), creditedOf(event)];
        if (state.status === 'booked') return { ...state, credits };
        if (state.status !== 'held') return { status: 'forestalled', credits };
        return isWhole(state.charge, credits) ? { status: 'cancelled' } : { ...state, credits };
      }
      case 'ChargeRefunded':
        if (state.status !== 'booked') return state;
        return {
          ...state,
          refunds: [...state.refunds, event],
          credits: state.credits.filter(({ creditCdrId }) => creditCdrId !== event.creditCdrId),
        };
    }
  },
};

/** Without what is the entry's own (its type, its place in the log), for it goes into the next one. */
function bookedOf(event: BookedCharge): BookedCharge {
  const { ledger, accountId, cdr, startedAt, energyKwh, cdrExclVat, plan, price, taxes, at } = event;
  return { ledger, accountId, cdr, startedAt, energyKwh, cdrExclVat, plan, price, ...(taxes && { taxes }), at };
}

function creditedOf({ ledger, accountId, cdr, creditCdrId, creditedExclVat, creditedTax, currency, at }: Credited): Credited {
  return { ledger, accountId, cdr, creditCdrId, creditedExclVat, ...(creditedTax && { creditedTax }), ...(currency && { currency }), at };
}

/** Those in its currency: others take back something else, which is between us and the partner. */
function creditsOf({ price }: Pick<BookedCharge, 'price'>, credits: readonly Credited[]): readonly Credited[] {
  // Former releases booked it as the partner wrote it, be it small.
  const its = price.currency.toUpperCase();
  return credits.filter(({ currency = its }) => currency === its);
}

function isKnown({ creditCdrId }: Credited, state: Charge): boolean {
  const refunds = state.status === 'booked' ? state.refunds : [];
  const credits = 'credits' in state ? state.credits : [];
  return [...refunds, ...credits].some((one) => sameId(one.creditCdrId, creditCdrId));
}

function creditedBy(credits: readonly Credited[]): Decimal {
  return sum(credits.map(({ creditedExclVat }) => decimal(creditedExclVat)));
}

/** Whether its driver still pays for any of it. */
export function stands(state: Charge): boolean {
  return state.status === 'booked' && !isWhole(state.charge, state.refunds);
}

/** As it is told, or as it is settled, each rounded. */
function isWhole(charge: Asked, credits: readonly Credited[]): boolean {
  if (credits.length === 0) return false;
  const { price, back, currency } = priceBack(charge, credits);
  const settled = (amount: Decimal) => amount.roundTo(digitsOf(currency), 'half-away-from-zero');
  const backSettled = sum(credits.map(({ creditedExclVat }) => settled(decimal(creditedExclVat))));
  return isAllBack({ price, back, currency }) || isAllBack({ price: settled(price), back: backSettled, currency });
}

function isTooMuch({ charge, refunds }: Extract<Charge, { status: 'booked' }>, credit: Credited): boolean {
  return refunds.length > 0 && isMoreBack(priceBack(charge, [...refunds, credit]));
}

type Asked = Pick<BookedCharge, 'cdrExclVat' | 'price'>;

function priceBack({ cdrExclVat, price: { currency } }: Asked, credits: readonly Credited[]): PriceBack {
  return { price: decimal(cdrExclVat), back: creditedBy(credits), currency };
}

/** Each pays back what with those before it makes their share, until all is paid back. */
export function refundsOf(
  charge: BookedCharge, credits: readonly Credited[], before: readonly ChargeRefunded[] = [],
): ChargeRefunded[] {
  const refunds: ChargeRefunded[] = [];
  for (const credit of credits) {
    const paid = [...before, ...refunds];
    if (!isWhole(charge, paid)) refunds.push(refundOf(charge, credit, paid));
  }
  return refunds;
}

/**
 * Of Credit CDRs that take back less than the CDR asked, the same share; of its tax, where that was passed on, what they
 * take back of it.
 */
function refundOf(charge: BookedCharge, credit: Credited, paid: readonly ChargeRefunded[]): ChargeRefunded {
  const { accountId, ledger, price, cdrExclVat } = charge;
  const { currency, exclVat, inclVat, payable } = price;
  const all = [...paid, credit];
  const digits = digitsOf(currency);
  const isAll = isWhole(charge, all);
  const asked = decimal(cdrExclVat).abs();
  const passedOn = taxPassedOn(price);
  const untold = all.filter(({ creditedTax }) => creditedTax === undefined);
  const told = sum(all.map(({ creditedTax = '0' }) => decimal(creditedTax)));
  const its = min(passedOn.abs().mul(creditedBy(untold)).add(told.mul(asked)), passedOn.abs().mul(asked));
  const taxBack = passedOn.isNegative() ? its.neg() : its;
  const shareOf = (text: string, hasTax: boolean): Decimal => {
    const share = decimal(text).sub(hasTax ? passedOn : Decimal.zero).mul(creditedBy(all));
    return (hasTax ? share.add(taxBack) : share).divide(asked, digits, 'half-away-from-zero');
  };
  const back = (text: string, field: 'exclVat' | 'inclVat' | 'payable'): string => {
    const amount = isAll ? decimal(text) : shareOf(text, field !== 'exclVat');
    return sum([amount, ...paid.map((refund) => decimal(refund[field] ?? '0'))]).neg().toString();
  };
  const paidBack = { exclVat: back(exclVat, 'exclVat'), ...(inclVat === undefined ? {} : { inclVat: back(inclVat, 'inclVat') }) };
  return {
    ...credit,
    type: 'ChargeRefunded',
    ledger,
    accountId,
    currency,
    ...paidBack,
    payable: back(payable, 'payable'),
    ...taxesBack(charge, paidBack, { paid, isAll, digits }),
  };
}

/** The tax of the CDR itself within what its driver paid: nothing where the plan asks for something else. */
function taxPassedOn(price: RetailPrice): Decimal {
  const charged = price.steps.find(({ what }) => what === 'charge');
  if (charged === undefined) return Decimal.zero;
  const [its, all] = [taxWithin(charged), taxWithin(price)];
  if (its.isNegative() !== all.isNegative()) return Decimal.zero;
  return its.abs().compare(all.abs()) < 0 ? its : all;
}

/** Those that were charged: of each the share that is back with this refund, less what came back of it before. */
function taxesBack(
  { taxes }: BookedCharge, refund: TaxWithin, { paid, isAll, digits }: { paid: readonly ChargeRefunded[]; isAll: boolean; digits: number },
): Pick<ChargeRefunded, 'taxes'> {
  if (taxes === undefined) return {};
  const split = (tax: Decimal) => (taxes.length > 1 ? splitTax(tax, taxes, digits).map(({ amount }) => amount) : taxes.map(() => tax));
  const back = isAll
    ? taxes.map(({ amount }) => decimal(amount).neg())
    : split(sum([...paid, refund].map(taxWithin)));
  // One of a former release may have none noted.
  const before = paid.map((one) => one.taxes?.map(({ amount }) => decimal(amount)) ?? split(taxWithin(one)));
  return {
    taxes: taxes.map(({ code, rate }, n) => (
      { code, rate, amount: back[n]!.sub(sum(before.map((amounts) => amounts[n]!))).toFixed(digits) })),
  };
}

type TaxWithin = Pick<ChargeRefunded, 'exclVat' | 'inclVat'>;

function taxWithin({ exclVat, inclVat = exclVat }: TaxWithin): Decimal {
  return decimal(inclVat).sub(decimal(exclVat));
}
