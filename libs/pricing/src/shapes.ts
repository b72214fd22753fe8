import type { DecimalLike } from '#money';

/**
 * The part of OCPI 2.2.1's objects that a price depends on, in the protocol's own case. Numbers may
 * come as JSON numbers, decimal text or Decimals; null means absent, as partners write it.
 */
type Maybe<T> = T | null | undefined;

export interface Price {
  readonly excl_vat: DecimalLike;
  readonly incl_vat?: Maybe<DecimalLike>;
}

export type TariffDimension = 'ENERGY' | 'TIME' | 'PARKING_TIME' | 'FLAT';

export interface PriceComponent {
  readonly type: TariffDimension;
  /** Excluding VAT, per kWh, per hour or once. */
  readonly price: DecimalLike;
  /** Percent. Absent = no VAT applies, which is not 0 %. */
  readonly vat?: Maybe<DecimalLike>;
  /** Wh or seconds; 0 = no rounding. */
  readonly step_size?: Maybe<number>;
}

export interface TariffRestrictions {
  readonly start_time?: Maybe<string>;
  readonly end_time?: Maybe<string>;
  readonly start_date?: Maybe<string>;
  readonly end_date?: Maybe<string>;
  readonly min_kwh?: Maybe<DecimalLike>;
  readonly max_kwh?: Maybe<DecimalLike>;
  readonly min_current?: Maybe<DecimalLike>;
  readonly max_current?: Maybe<DecimalLike>;
  readonly min_power?: Maybe<DecimalLike>;
  readonly max_power?: Maybe<DecimalLike>;
  readonly min_duration?: Maybe<number>;
  readonly max_duration?: Maybe<number>;
  readonly day_of_week?: Maybe<readonly string[]>;
  readonly reservation?: Maybe<string>;
}

export interface TariffElement {
  readonly price_components: readonly PriceComponent[];
  readonly restrictions?: Maybe<TariffRestrictions>;
}

export interface Tariff {
  readonly id: string;
  readonly currency: string;
  readonly type?: Maybe<string>;
  readonly elements: readonly TariffElement[];
  readonly min_price?: Maybe<Price>;
  readonly max_price?: Maybe<Price>;
  readonly start_date_time?: Maybe<string>;
  readonly end_date_time?: Maybe<string>;
}

export interface CdrDimension {
  readonly type: string;
  /** kWh, hours, A or kW, by the type. */
  readonly volume: DecimalLike;
}

export interface ChargingPeriod {
  readonly start_date_time: string;
  readonly dimensions: readonly CdrDimension[];
  readonly tariff_id?: Maybe<string>;
}

/** What is priced: a CDR, a Session, or just their periods, times and tariffs. */
export interface Charge {
  readonly start_date_time?: Maybe<string>;
  readonly end_date_time?: Maybe<string>;
  readonly currency?: Maybe<string>;
  readonly tariffs?: Maybe<readonly Tariff[]>;
  readonly charging_periods?: Maybe<readonly ChargingPeriod[]>;
}

/**
 * The tariff breaks a rule; `path` says where, as in `elements[0].restrictions.start_time`, or, of a
 * charge with several, `tariffs[1].elements[0].restrictions.start_time`.
 */
export class InvalidTariff extends Error {
  override readonly name = 'InvalidTariff';
  readonly path: string;
  readonly rule: string;
  constructor(path: string, rule: string) {
    super(`${path}: ${rule}`);
    this.path = path;
    this.rule = rule;
  }
}

/** The charge cannot be priced; `path` says where, as in `charging_periods[2].start_date_time`. */
export class InvalidCharge extends Error {
  override readonly name = 'InvalidCharge';
  readonly path: string;
  constructor(path: string, rule: string) {
    super(`${path}: ${rule}`);
    this.path = path;
  }
}
