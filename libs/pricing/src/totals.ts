import { Decimal } from '#money';
import { Amount } from './amount.ts';
import type { Line } from './line.ts';
import type { Cost, Priced } from './price.ts';

/** The parts of a price, as a CDR splits it; undefined where nothing of the kind was billed. */
export interface Split {
  readonly fixed: Cost | undefined;
  readonly energy: Cost | undefined;
  readonly time: Cost | undefined;
  readonly parking: Cost | undefined;
  /** The reservation's time and its own fixed parts. */
  readonly reservation: Cost | undefined;
}

/**
 * CDR-12: where each line belongs; parking includes its own fixed parts. min_price and max_price
 * act on the total alone.
 */
export function split({ lines, unrounded, policy }: Priced): Split {
  const withVat = unrounded.incl !== undefined;
  const part = (belongs: (line: Line) => boolean): Cost | undefined => {
    const some = lines.filter(belongs);
    if (some.length === 0) return undefined;
    const excl = some.reduce((total, line) => total.add(line.excl), Amount.zero);
    const incl = some.reduce((total, line) => total.add(line.incl), Amount.zero);
    return { excl, incl: withVat ? incl : undefined };
  };
  const session = (dimension: string) => (line: Line) =>
    !line.reservation && line.dimension === dimension;
  const isParkingFee = ({ dimension, reservation, component }: Line) =>
    dimension === 'FLAT' &&
    !reservation &&
    policy.parkingFlat === 'parking' &&
    component.isParkingOnly;
  return {
    fixed: part((line) => session('FLAT')(line) && !isParkingFee(line)),
    energy: part(session('ENERGY')),
    time: part(session('TIME')),
    parking: part((line) => session('PARKING_TIME')(line) || isParkingFee(line)),
    reservation: part((line) => line.reservation),
  };
}

/** What was used, before any step_size. Durations in ms of the timestamps. */
export interface Usage {
  readonly energyWh: Decimal;
  /** The whole session, charging or not; without a reservation before it. */
  readonly sessionMs: number;
  readonly chargingMs: number;
  readonly parkingMs: number;
  readonly reservationMs: number;
}

export function usage({ course }: Priced): Usage {
  let energyWh = Decimal.zero;
  let chargingS = Decimal.zero;
  let parkingS = Decimal.zero;
  let reservationS = Decimal.zero;
  for (const stretch of course.stretches) {
    if (stretch.energyWh) energyWh = energyWh.add(stretch.energyWh);
    if (stretch.chargingS) chargingS = chargingS.add(stretch.chargingS);
    if (stretch.parkingS) parkingS = parkingS.add(stretch.parkingS);
    if (stretch.reservationS) reservationS = reservationS.add(stretch.reservationS);
  }
  const ms = (seconds: Decimal) =>
    Number(seconds.shift(3).roundTo(0, 'half-away-from-zero').toString());
  return {
    energyWh,
    sessionMs: course.endMs - course.chargingStartMs,
    chargingMs: ms(chargingS),
    parkingMs: ms(parkingS),
    reservationMs: ms(reservationS),
  };
}

interface JsonPrice {
  readonly excl_vat: number;
  readonly incl_vat?: number;
}

/** The money and quantity fields of an OCPI CDR, as JSON numbers. */
export interface CdrTotals {
  readonly total_cost: JsonPrice;
  readonly total_fixed_cost?: JsonPrice;
  readonly total_energy: number;
  readonly total_energy_cost?: JsonPrice;
  readonly total_time: number;
  readonly total_time_cost?: JsonPrice;
  readonly total_parking_time?: number;
  readonly total_parking_cost?: JsonPrice;
  readonly total_reservation_cost?: JsonPrice;
}

/**
 * What a CDR says of a price: `total_cost` as it is to be paid, its parts and the quantities with
 * the four decimals that OCPI gives a number (TYP-04).
 */
export function cdrTotals(priced: Priced): CdrTotals {
  const parts = split(priced);
  const used = usage(priced);
  const { excl, incl } = priced.total;
  return {
    total_cost: jsonPrice(excl, incl),
    ...optional('total_fixed_cost', parts.fixed),
    total_energy: four(used.energyWh.shift(-3)),
    ...optional('total_energy_cost', parts.energy),
    total_time: hours(used.sessionMs),
    ...optional('total_time_cost', parts.time),
    ...(used.parkingMs > 0 ? { total_parking_time: hours(used.parkingMs) } : {}),
    ...optional('total_parking_cost', parts.parking),
    ...optional('total_reservation_cost', parts.reservation),
  };
}

const HOUR_MS = Decimal.of(3_600_000);

/** Hours with the four decimals of a CDR's numbers. */
export function hours(ms: number): number {
  return Decimal.of(ms).divide(HOUR_MS, 4, 'half-away-from-zero').toJsonNumber();
}

function four(value: Decimal): number {
  return value.roundTo(4, 'half-away-from-zero').toJsonNumber();
}

function jsonPrice(excl: Decimal, incl: Decimal | undefined): JsonPrice {
  const excl_vat = excl.toJsonNumber();
  return incl ? { excl_vat, incl_vat: incl.toJsonNumber() } : { excl_vat };
}

function optional<K extends string>(key: K, cost: Cost | undefined): { [P in K]?: JsonPrice } {
  if (!cost) return {};
  const decimal = (amount: Amount) => amount.roundTo(4, 'half-away-from-zero');
  const price = jsonPrice(decimal(cost.excl), cost.incl && decimal(cost.incl));
  return { [key]: price } as { [P in K]?: JsonPrice };
}

/** A price as data for people and tools: exact decimals as text. */
export interface PriceReport {
  readonly currency: string;
  readonly total_cost: TextPrice;
  readonly unrounded: TextPrice;
  readonly lines: readonly {
    readonly dimension: string;
    readonly reservation: boolean;
    readonly billed: string;
    readonly unit: 'Wh' | 's' | 'count';
    readonly price: string;
    readonly vat?: string;
    readonly cost: TextPrice;
  }[];
}

export interface TextPrice {
  readonly excl_vat: string;
  readonly incl_vat?: string;
}

export const UNITS = { ENERGY: 'Wh', TIME: 's', PARKING_TIME: 's', FLAT: 'count' } as const;

export function priceReport(priced: Priced): PriceReport {
  const { currency, total, unrounded, lines } = priced;
  const withVat = unrounded.incl !== undefined;
  return {
    currency,
    total_cost: textPrice(total.excl, total.incl),
    unrounded: textPrice(unrounded.excl, unrounded.incl),
    lines: lines.map(({ dimension, reservation, billed, component, excl, incl }) => ({
      dimension,
      reservation,
      billed: billed.toString(),
      unit: UNITS[dimension],
      price: component.price.toString(),
      ...(component.vat ? { vat: component.vat.toString() } : {}),
      cost: textPrice(excl, withVat ? incl : undefined),
    })),
  };
}

export function textPrice(excl: Decimal | Amount, incl: Decimal | Amount | undefined): TextPrice {
  const excl_vat = excl.toString();
  return incl ? { excl_vat, incl_vat: incl.toString() } : { excl_vat };
}
