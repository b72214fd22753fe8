import type { SettledCdr } from './settled.ts';
import type { FeeLine, FeeTax } from './fees.ts';
import type { PartyTerms } from './terms.ts';

/**
 * The settlement of two partners for one month. It names parties by their ids, never as "we" and
 * "they": both sides make the same bytes of the same history.
 */
export interface Statement {
  /** "2022-02", and the instants [from, to) that it is in the agreement's zone. */
  readonly month: string;
  readonly time_zone: string;
  readonly from: string;
  readonly to: string;
  /** What is acknowledged later is on the next statement. */
  readonly closes_at?: string;
  /** Closed an hour after its closing, and the same from then on. Nothing closes without an agreement. */
  readonly state: 'without-agreement' | 'open' | 'closed';
  /** The first 16 hex digits of the SHA-256 of the terms: both sides have the same, or disagree. */
  readonly agreement?: string;
  /** In the order of their ids. */
  readonly parties: readonly StatementParty[];
  /** One statement for each currency; nothing is converted. */
  readonly currencies: readonly CurrencyStatement[];
  /** Odd currencies beyond the first 20. */
  readonly currencies_left_out: number;
  /** Who owes whom how much, a sentence for each currency; and what is left out. */
  readonly sentences: readonly string[];
}

export interface StatementParty extends PartyTerms {
  /** `CA*BCT`. */
  readonly party: string;
}

export interface CurrencyStatement {
  readonly currency: string;
  /** Of each supplier to the other, where it has anything to bill. */
  readonly invoices: readonly Invoice[];
  /** Only the payment is netted; without a debtor when nothing is owed. */
  readonly net: {
    readonly amount: string;
    readonly debtor?: string;
    readonly creditor?: string;
    readonly due_on?: string;
  };
}

export interface Invoice {
  readonly number: string;
  readonly supplier: string;
  readonly customer: string;
  readonly currency: string;
  /** The closing day, and when it is to be paid. */
  readonly issued_on?: string;
  readonly due_on?: string;
  /** Charging of the customer's drivers with the supplier. */
  readonly charging: ChargingTotal;
  /** How much of it is of earlier months. */
  readonly late: { readonly cdrs: number; readonly incl_tax: string };
  /** The taxes in the CDRs, one by one: they add up to `charging.tax`. */
  readonly taxes: readonly FeeTax[];
  readonly places: readonly PlaceLine[];
  readonly places_left_out: number;
  readonly fees: readonly FeeLine[];
  readonly fee_taxes: readonly FeeTax[];
  readonly fees_excl_tax: string;
  readonly fees_incl_tax: string;
  readonly excl_tax: string;
  readonly tax: string;
  /** To be paid for this invoice, before netting. */
  readonly total: string;
  /** The first CDRs, late ones before the others; the rest is in the totals and in the list of lines. */
  readonly lines: readonly StatementLine[];
  readonly lines_left_out: number;
}

export interface ChargingTotal {
  readonly cdrs: number;
  readonly credits: number;
  /** Of the credits, those that take back no session; absent: none. */
  readonly part_credits?: number;
  /** Of the CDRs less the credits. */
  readonly energy_kwh: string;
  /** Incl. tax: of the CDRs, of the credits (positive). */
  readonly charged: string;
  readonly credited: string;
  readonly excl_tax: string;
  readonly tax: string;
  readonly incl_tax: string;
}

export interface PlaceLine {
  readonly id: string;
  readonly name: string;
  /** CDRs less credits. */
  readonly sessions: number;
  readonly energy_kwh: string;
  readonly excl_tax: string;
  readonly incl_tax: string;
}

export interface StatementLine extends SettledCdr {
  /** Who issued it. */
  readonly issuer: string;
  /** It belongs to an earlier month and was acknowledged after that had closed. */
  readonly late: boolean;
}

/** What one side knows beside the statement; the other may know something else. */
export interface StatementNotes {
  /** CDRs of the month or before that the partner has not acknowledged: not on a closed statement. */
  readonly awaiting: number;
  /**
   * What on the statement is in dispute, of each issuer and currency, as it is payable: it stays there until its Credit
   * CDR is, too.
   */
  readonly disputed: readonly {
    readonly issuer: string;
    readonly currency: string;
    readonly cdrs: number;
    readonly amount: string;
  }[];
  /** What was found wrong with CDRs of the first lines. */
  readonly findings: readonly {
    readonly issuer: string;
    readonly cdr_id: string;
    readonly codes: readonly string[];
  }[];
}
