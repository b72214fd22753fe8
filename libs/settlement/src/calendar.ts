import { type Zone, zone } from '#time';
import { localDay, monthStart, nextMonth } from './month.ts';
import type { AgreementTerms } from './terms.ts';

/** What lies on the statement of one month; epoch ms. */
export interface MonthScope {
  readonly month: string;
  /** CDRs whose last_updated is in [from, to) … */
  readonly from: number;
  readonly to: number;
  /** … and that were acknowledged by then; without an agreement nothing closes. */
  readonly closesAt?: number;
  /**
   * And CDRs of the months before, back to `since`, that were acknowledged after the month before
   * had closed, and by the closing of this one.
   */
  readonly late?: { readonly since: number; readonly after: number };
}

/** A version of the agreement and the CDRs whose fees it decides on, by their last_updated. */
export interface FeePeriod {
  readonly terms: AgreementTerms;
  readonly from: number;
  readonly to: number;
}

/**
 * The calendar of a settlement: months follow each other without a gap or an overlap, also where a
 * version of the agreement brings another zone, and close in their order. A CDR is on the statement
 * of the first month, not before its own, that had not closed when it was acknowledged.
 */
export class SettlementCalendar {
  private readonly versions: readonly AgreementTerms[];

  /** `otherwise`: the zone of months before the first version. */
  constructor(
    versions: readonly AgreementTerms[],
    private readonly otherwise: Zone,
  ) {
    this.versions = [...versions].sort((a, b) => (a.valid_from < b.valid_from ? -1 : 1));
  }

  termsOf(month: string): AgreementTerms | undefined {
    return this.versions.findLast(({ valid_from }) => valid_from <= month);
  }

  zoneOf(month: string): Zone {
    const terms = this.termsOf(month);
    return terms ? zone(terms.time_zone) : this.otherwise;
  }

  startOf(month: string): number {
    return monthStart(month, this.zoneOf(month));
  }

  /** Never before an earlier month closes; undefined for a month without an agreement. */
  closesAt(month: string): number | undefined {
    const first = this.versions[0]?.valid_from;
    if (first === undefined || month < first) return undefined;
    // A version can only put off or bring forward by its own rule, at most 90 days: look back far enough.
    let closes = 0;
    for (let each = monthsBefore(month, first); each <= month; each = nextMonth(each)) {
      const days = this.termsOf(each)!.closing_days;
      closes = Math.max(closes, monthStart(nextMonth(each), this.zoneOf(each), days));
    }
    return closes;
  }

  /** The closing day as the agreement's calendar has it, or the day so many days later. */
  closingDay(month: string, daysLater = 0): string | undefined {
    const closes = this.closesAt(month);
    return closes === undefined ? undefined : localDay(closes - 1, this.zoneOf(month), daysLater);
  }

  scopeOf(month: string): MonthScope {
    const closesAt = this.closesAt(month);
    const span = { month, from: this.startOf(month), to: this.startOf(nextMonth(month)) };
    if (closesAt === undefined) return span;
    const first = this.versions[0]!.valid_from;
    if (month === first) return { ...span, closesAt };
    const after = this.closesAt(monthBefore(month))!;
    return { ...span, closesAt, late: { since: this.startOf(first), after } };
  }

  /** The end and the closing of the month before; undefined where that had no agreement. */
  endBefore(month: string): { readonly to: number; readonly closesAt: number } | undefined {
    const closesAt = this.closesAt(monthBefore(month));
    return closesAt === undefined ? undefined : { to: this.startOf(month), closesAt };
  }

  feePeriods(): FeePeriod[] {
    return this.versions.map((terms, index) => {
      const next = this.versions[index + 1];
      return {
        terms,
        from: this.startOf(terms.valid_from),
        to: next ? this.startOf(next.valid_from) : Number.POSITIVE_INFINITY,
      };
    });
  }
}

function monthBefore(month: string): string {
  const year = Number(month.slice(0, 4));
  const number = Number(month.slice(5, 7));
  return number === 1
    ? `${String(year - 1).padStart(4, '0')}-12`
    : `${month.slice(0, 4)}-${String(number - 1).padStart(2, '0')}`;
}

/** Four months back, or the first: a month closes at most 90 days after its end. */
function monthsBefore(month: string, first: string): string {
  let from = month;
  for (let n = 0; n < 4 && from > first; n += 1) from = monthBefore(from);
  return from;
}

/** Whether a CDR is on the statement of a scope; `acknowledgedMs` is `now` for one that is not yet. */
export function isInScope(
  { from, to, closesAt, late }: MonthScope,
  lastUpdatedMs: number,
  acknowledgedMs: number,
): 'of-the-month' | 'late' | undefined {
  if (lastUpdatedMs >= to || (closesAt !== undefined && acknowledgedMs > closesAt)) return undefined;
  if (lastUpdatedMs >= from) return 'of-the-month';
  return late && lastUpdatedMs >= late.since && acknowledgedMs > late.after ? 'late' : undefined;
}
