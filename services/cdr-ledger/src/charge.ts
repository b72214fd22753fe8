import { type Decider, Rejected } from '#decider';
import { type Decimal, decimal, minorUnitsOf } from '#money';
import { idKey, type Party } from '#ocpi';
import type { PlanVersion, RetailPrice } from './plan.ts';

/**
 * What one CDR costs its driver: the stream `charge-<country>-<party>-<cdr id>`, booked once and
 * refunded at most once. Nothing but the CDR's id is needed to know a repeat, however late it comes.
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
  readonly at: string;
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
  readonly at: string;
}

/** The Credit CDR of a charge that is not on the account: it was held, or is still to come. */
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
}

export type ChargeEvent = ChargeBooked | ChargeHeld | ChargeForestalled | ChargeRefunded;

export type ChargeCommand =
  | (BookedCharge & { readonly type: 'BookCharge'; readonly hold: boolean })
  | { readonly type: 'ReleaseCharge'; readonly at: string }
  | (Credited & { readonly type: 'CreditCharge' });

export type ChargeRefusal = 'unknown-charge';

export type Charge =
  | { readonly status: 'absent' }
  | { readonly status: 'forestalled'; readonly credit: Credited }
  /** `credit`: takes back a part of it, once it is on the account. */
  | { readonly status: 'held'; readonly charge: BookedCharge; readonly credit?: Credited }
  | { readonly status: 'booked'; readonly charge: BookedCharge }
  | { readonly status: 'refunded'; readonly charge: BookedCharge; readonly refund: ChargeRefunded }
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
        return hold && !isWhole(booked, state.credit)
          ? [{ ...booked, type: 'ChargeHeld' }]
          : [{ ...booked, type: 'ChargeBooked' }, refundOf(booked, state.credit)];
      }
      case 'ReleaseCharge':
        if (state.status === 'absent' || state.status === 'forestalled')
          throw new Rejected<ChargeRefusal>('unknown-charge');
        if (state.status !== 'held') return [];
        return [
          { ...state.charge, type: 'ChargeBooked', at: command.at },
          ...(state.credit ? [refundOf(state.charge, { ...state.credit, at: command.at })] : []),
        ];
      case 'CreditCharge': {
        const { type: _, ...credit } = command;
        if (state.status === 'absent' || (state.status === 'held' && !state.credit))
          return [{ ...credit, type: 'ChargeForestalled' }];
        // A second credit is between us and the partner: the driver was paid back.
        return state.status === 'booked' ? [refundOf(state.charge, credit)] : [];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'ChargeBooked':
        return { status: 'booked', charge: bookedOf(event) };
      case 'ChargeHeld':
        return {
          status: 'held',
          charge: bookedOf(event),
          ...(state.status === 'forestalled' ? { credit: state.credit } : {}),
        };
      case 'ChargeForestalled':
        if (state.status !== 'held') return { status: 'forestalled', credit: creditedOf(event) };
        return isWhole(state.charge, event)
          ? { status: 'cancelled' }
          : { ...state, credit: creditedOf(event) };
      case 'ChargeRefunded':
        return 'charge' in state
          ? { status: 'refunded', charge: state.charge, refund: event }
          : state;
    }
  },
};

/** Without what is the entry's own (its type, its place in the log), for it goes into the next one. */
function bookedOf(event: BookedCharge): BookedCharge {
  const { ledger, accountId, cdr, startedAt, energyKwh, cdrExclVat, plan, price, at } = event;
  return { ledger, accountId, cdr, startedAt, energyKwh, cdrExclVat, plan, price, at };
}

function creditedOf({ ledger, accountId, cdr, creditCdrId, creditedExclVat, at }: Credited): Credited {
  return { ledger, accountId, cdr, creditCdrId, creditedExclVat, at };
}

type Creditable = Pick<BookedCharge, 'cdrExclVat'>;

function isWhole({ cdrExclVat }: Creditable, { creditedExclVat }: Credited): boolean {
  const asked = decimal(cdrExclVat);
  return asked.isZero() || decimal(creditedExclVat).compare(asked.abs()) >= 0;
}

/** All of it; of a Credit CDR that takes back less than the CDR asked, the same share. */
function refundOf(charge: BookedCharge, credit: Credited): ChargeRefunded {
  const { accountId, ledger, price, cdrExclVat } = charge;
  const { currency, exclVat, inclVat, payable } = price;
  const asked = decimal(cdrExclVat);
  const credited = decimal(credit.creditedExclVat);
  const isAll = isWhole(charge, credit);
  const digits = minorUnitsOf(currency) ?? 2;
  const part = (text: string): string => {
    const amount: Decimal = isAll
      ? decimal(text)
      : decimal(text).mul(credited).divide(asked.abs(), digits, 'half-away-from-zero');
    return amount.neg().toString();
  };
  return {
    ...credit,
    type: 'ChargeRefunded',
    ledger,
    accountId,
    currency,
    exclVat: part(exclVat),
    ...(inclVat === undefined ? {} : { inclVat: part(inclVat) }),
    payable: part(payable),
  };
}
