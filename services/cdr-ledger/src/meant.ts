import { decimal, sum } from '#money';
import { type Cdr, type Price, sameId } from '#ocpi';
import type { PublicCdr } from './private-part.ts';

/**
 * What a Credit CDR was meant to be that is not written as OCPI has it: its total positive, all its
 * amounts negated, its flag missing, or the id of its original used again. It is recorded as it
 * came; lists, statements and balances take it for what was meant.
 */
export interface Meant {
  readonly id: string;
  /** Undefined where nothing says what it credits. */
  readonly creditReferenceId?: string;
  /** Its original paid back, as its own periods say: what takes that away is above nothing. */
  readonly ofPaidBack?: true;
}

type Totals = Pick<Cdr, 'id' | 'credit' | 'credit_reference_id' | 'total_cost'>;

/** A bill that pays back: whether that is a Credit CDR without its flag, its price has to say. */
export function isNegativeBill({ credit, total_cost }: Totals): boolean {
  return credit !== true && total_cost.excl_vat < 0;
}

/**
 * The id that a CDR is known by: its own, but for a credit that has the id of its original, which
 * gets the one that we would give it.
 */
export function knownId(cdr: Totals): string {
  const { id, credit, credit_reference_id: reference } = cdr;
  const isCredit = credit === true || isNegativeBill(cdr);
  return isCredit && reference !== undefined && sameId(id, reference)
    ? `${id.slice(0, 37)}-C`
    : id;
}

/** What a credit names, or what the ending of its id says, such as `X-1-C` or `X-1_CREDIT`. */
export function namedOriginal({ id, credit_reference_id }: Totals): string | undefined {
  return credit_reference_id ?? /^(.+)[-_.](?:C|CR|CREDIT)$/i.exec(id)?.[1];
}

/** A bill that pays back and says nothing of what: its session may tell. */
export function namesNone(cdr: Totals): boolean {
  return isNegativeBill(cdr) && namedOriginal(cdr) === undefined;
}

/** What a CDR credits, if it is a credit; `ofSession`: the only CDR that it could be for where it names none. */
export function creditedId(cdr: Totals, ofSession: string | undefined): string | undefined {
  return cdr.credit === true || isNegativeBill(cdr) ? (namedOriginal(cdr) ?? ofSession) : undefined;
}

const PARTS = [
  'total_fixed_cost',
  'total_energy_cost',
  'total_time_cost',
  'total_parking_cost',
  'total_reservation_cost',
] as const;

const HOURS: ReadonlySet<string> = new Set(['TIME', 'PARKING_TIME', 'RESERVATION_TIME']);

/** Whether more than total_cost is negated. CDR-04: energy, times, periods and parts stay as they were. */
export function negatesMore(cdr: PublicCdr): boolean {
  return PARTS.some((part) => (cdr[part]?.excl_vat ?? 0) < 0) || negatesTime(cdr) || negatesEnergy(cdr);
}

/** A car may feed back, and then its periods say so, too. */
function negatesEnergy({ total_energy, charging_periods }: PublicCdr): boolean {
  if (total_energy >= 0) return false;
  const inPeriods = charging_periods.flatMap(({ dimensions }) =>
    dimensions.filter(({ type }) => type === 'ENERGY').map(({ volume }) => decimal(volume)),
  );
  return !sum(inPeriods).isNegative();
}

/** No charge takes less than no time: who negates that, negates everything. */
export function negatesTime({ total_time, total_parking_time, charging_periods }: PublicCdr): boolean {
  return (
    total_time < 0 ||
    (total_parking_time ?? 0) < 0 ||
    charging_periods.some(({ dimensions }) =>
      dimensions.some(({ type, volume }) => HOURS.has(type) && volume < 0),
    )
  );
}

/** The CDR as OCPI would have it written. */
export function asMeant<T extends PublicCdr>(cdr: T, meant: Meant | undefined): T {
  if (meant === undefined) return cdr;
  const { credit_reference_id: _, ...rest } = cdr;
  const { id, creditReferenceId, ofPaidBack = false } = meant;
  const signed = (amount: number) => (ofPaidBack ? Math.abs(amount) : -Math.abs(amount));
  const credit = {
    ...rest,
    id,
    credit: true,
    ...(creditReferenceId === undefined ? {} : { credit_reference_id: creditReferenceId }),
    total_cost: priceOf(cdr.total_cost, signed),
  };
  return (!ofPaidBack && negatesMore(cdr) ? { ...credit, ...turnedBack(cdr) } : credit) as T;
}

/** All that was negated beside the total. */
function turnedBack(cdr: PublicCdr): Partial<PublicCdr> {
  const parts = PARTS.flatMap((part) => {
    const told = cdr[part];
    return told === undefined ? [] : [[part, priceOf(told, Math.abs)] as const];
  });
  const { total_parking_time } = cdr;
  return {
    ...Object.fromEntries(parts),
    total_energy: Math.abs(cdr.total_energy),
    total_time: Math.abs(cdr.total_time),
    ...(total_parking_time === undefined
      ? {}
      : { total_parking_time: Math.abs(total_parking_time) }),
    charging_periods: cdr.charging_periods.map((period) => ({
      ...period,
      dimensions: period.dimensions.map((one) =>
        HOURS.has(one.type) || one.type === 'ENERGY'
          ? { ...one, volume: Math.abs(one.volume) }
          : one,
      ),
    })),
  };
}

function priceOf({ excl_vat, incl_vat }: Price, of: (amount: number) => number): Price {
  const price = { excl_vat: of(excl_vat) };
  return incl_vat === undefined ? price : { ...price, incl_vat: of(incl_vat) };
}
