import { type Decimal, decimal, sum } from '#money';
import { zone } from '#time';
import { CANADA, type Jurisdiction } from './canada.ts';
import { jurisdictionOf, type Place } from './place.ts';

/** One tax as it is shown on a bill. */
export interface Tax {
  /** `GST`, `HST`, `QST`. */
  readonly code: string;
  /** Percent, decimal text. */
  readonly rate: string;
  readonly jurisdiction: Jurisdiction;
}

/** The local day of an instant (epoch ms) at a place of the data, "2025-04-01". */
function taxDay(jurisdiction: Jurisdiction, utcMs: number): string {
  const { year, month, day } = zone(CANADA[jurisdiction].timeZone).local(utcMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/** The taxes of a jurisdiction on a local day, "2025-04-01"; undefined before the data begins. */
export function taxesOn(jurisdiction: Jurisdiction, day: string): readonly Tax[] | undefined {
  const found = CANADA[jurisdiction].taxes.filter(
    ({ from, to }) => from <= day && (to === undefined || day < to),
  );
  return found.length === 0
    ? undefined
    : found.map(({ code, rate }) => ({ code, rate, jurisdiction }));
}

/**
 * The taxes on what is supplied at a place at an instant (epoch ms), in the order in which they are
 * shown; undefined where the data has none, which is not the same as no tax.
 */
export function taxesAt(place: Place, utcMs: number): readonly Tax[] | undefined {
  const jurisdiction = jurisdictionOf(place);
  return jurisdiction && taxesOn(jurisdiction, taxDay(jurisdiction, utcMs));
}

/** Those that may be on a bill in a country, three letters of ISO 3166-1; undefined where the data has none of it. */
export function taxCodesIn(country: string): readonly string[] | undefined {
  if (!/^CAN$/i.test(country)) return undefined;
  return [...new Set(Object.values(CANADA).flatMap(({ taxes }) => taxes.map(({ code }) => code)))];
}

/** All of them as one percentage: 14.975 in Quebec. */
export function combinedRate(taxes: readonly Pick<Tax, 'rate'>[]): Decimal {
  return sum(taxes.map(({ rate }) => decimal(rate)));
}
