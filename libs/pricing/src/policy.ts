import type { Rounding } from '#money';

/**
 * Every question that OCPI 2.2.1 leaves open, or answers against what partners do, is one flag: the
 * answers we know how to give, ours, and where the question was raised. Numbers with # are issues
 * of the specification's repository; D-numbers are the list of its defects. A flag with one answer
 * records a decision that nothing has asked us to vary yet.
 */
export const FLAGS = {
  /** Once per session at its first activation, or once for each element that becomes active? */
  flatFee: { ours: 'once-per-session', others: ['once-per-element'], source: '#176 #390 D16' },
  /** What step_size rounds: the session's total, every run of one component, or nothing. */
  stepScope: { ours: 'session', others: ['component', 'none'], source: '#334 #494 #546' },
  /** Parking and then charging again: whose total is rounded? */
  timeStep: { ours: 'last-priced', others: ['parking-absorbs'], source: '#396 D17' },
  /** A step_size of 0, which the specification's own examples have, rounds nothing. */
  stepZero: { ours: 'no-rounding', others: [], source: 'mod_tariffs step_size, PRC-10' },
  /** An exact multiple of step_size stays, against the words "greater than". */
  stepExact: { ours: 'stays', others: [], source: 'D6' },
  /** Hours with few decimals, or the timestamps that they were rounded from? */
  timeVolume: {
    ours: 'timestamps-within-rounding',
    others: ['volume', 'timestamps'],
    source: 'mod_cdrs: 4 decimals make 0.5502 of 0.55',
  },
  /** A pause by the station, the grid, our limit or a fault: neither TIME nor parking, or TIME? */
  pausedTime: { ours: 'neither', others: ['time'], source: 'mod_cdrs CdrDimensionType' },
  /** min_ and max_duration count the whole session, parking included. */
  duration: { ours: 'whole-session', others: [], source: '#225 #434 #566' },
  /** Do they count from the reservation where the CDR starts with one? */
  durationOrigin: { ours: 'charging-start', others: ['cdr-start'], source: '#434' },
  /** A window whose start_time is its end_time. */
  equalTimes: { ours: 'whole-day', others: ['never'], source: '#466' },
  /** An end_time of 00:00 is the end of the day, as where there is none. */
  midnightEnd: { ours: 'end-of-day', others: [], source: '#466' },
  /** Only start_time or only end_time: the other side is the day's edge. */
  openWindow: { ours: 'day-edge', others: [], source: '#502' },
  /** Dates and times together mean the window on each of the days. */
  datesWithTimes: { ours: 'each-day', others: [], source: '#499' },
  /** After midnight, a window that wraps belongs to the day of the moment or of its start? */
  wrappedWindowDay: { ours: 'moment', others: ['window-start'], source: 'ocpi-tariffs #64' },
  /** The hour that a clock change repeats matches both times; the one it skips never. */
  clockChange: { ours: 'wall-clock', others: [], source: '#534' },
  /** A local time without a time zone is refused, never guessed from the country. */
  missingTimeZone: { ours: 'refuse', others: [], source: '#495 #517' },
  /** A period without power or current, under an element that asks for them. */
  missingLevel: {
    ours: 'average-power',
    others: ['matches', 'fails'],
    source: 'mod_cdrs CdrDimensionType',
  },
  /** A period over a moment at which the price changes is priced as it began, and noted. */
  spanningPeriod: { ours: 'price-at-start', others: [], source: 'mod_cdrs ChargingPeriod' },
  /** Negative ENERGY: paid back at the price of the moment, or worth nothing. */
  negativeEnergy: { ours: 'paid-back', others: ['zero'], source: 'mod_cdrs CdrDimensionType' },
  /** Does tariff_id choose among several tariffs, or the first one valid at the start? */
  periodTariff: { ours: 'named', others: ['first-valid'], source: '#326 D30' },
  /** A period that names no tariff while another one does. */
  namelessPeriod: { ours: 'no-tariff', others: ['first-valid'], source: 'mod_cdrs ChargingPeriod' },
  /** Whose min_price and max_price bind where periods name several tariffs. */
  boundsTariff: { ours: 'first', others: ['last', 'none'], source: '#326' },
  /** Whether they bound a reservation's costs too; alone, those are no "Charging Session". */
  boundedCosts: {
    ours: 'all',
    others: ['without-reservation'],
    source: 'mod_tariffs min_price, mod_cdrs total_cost',
  },
  /** min_price and max_price hold without and with VAT, each by itself: the VAT then is what is left. */
  boundedVat: { ours: 'each-by-itself', others: [], source: 'mod_tariffs min_price, max_price' },
  /** A bound that lacks its incl_vat: nothing, or never below the bounded excl_vat. */
  missingInclBound: {
    ours: 'not-below-excl',
    others: ['unbounded'],
    source: 'mod_tariffs min_price',
  },
  /** No component of the tariff has a vat: no incl_vat, or one equal to excl_vat. */
  vatNowhere: { ours: 'no-incl', others: ['equals-excl'], source: 'types Price' },
  /** Two taxes are one rate in 2.2.1; showing them apart is the statement's work. */
  severalTaxes: { ours: 'one-rate', others: [], source: '#211' },
  /** A CDR does not say whether its reservation expired. */
  reservationOutcome: {
    ours: 'infer-from-charging',
    others: ['used', 'expired'],
    source: '#395 #404 #459',
  },
  /** A start or end at the epoch is unknown: periods and volumes stand in for it. */
  unknownInstant: { ours: 'from-periods', others: [], source: 'mod_cdrs CDR note, D20' },
  /** A FLAT whose element prices parking alone: part of the parking's cost or of the fixed one? */
  parkingFlat: { ours: 'parking', others: ['fixed'], source: 'mod_cdrs total_parking_cost' },
  /** An expired reservation: RESERVATION still prices what RESERVATION_EXPIRES does not. */
  expiredReservation: {
    ours: 'expires-then-reservation',
    others: ['expires-only'],
    source: 'mod_tariffs ReservationRestrictionType',
  },
  /** How the total becomes a sum that can be paid; OCPI leaves it to law and contract. */
  rounding: {
    ours: 'half-away-from-zero',
    others: ['half-even', 'away-from-zero', 'toward-zero', 'ceiling', 'floor'],
    source: '#401',
  },
} as const;

type Flags = typeof FLAGS;
type Answers = { readonly [F in keyof Flags]: Flags[F]['ours'] | Flags[F]['others'][number] };

/** The answers that one calculation follows. */
export interface Policy extends Answers {
  readonly rounding: Rounding;
  /** Digits after the point: those of the currency's minor unit, or a number (#401). */
  readonly roundingDecimals: 'currency' | number;
}

const ours = Object.fromEntries(Object.entries(FLAGS).map(([flag, { ours }]) => [flag, ours]));

export const defaultPolicy: Policy = Object.freeze({
  ...(ours as unknown as Answers),
  roundingDecimals: 'currency',
});

/** Our policy with some answers changed. */
export function policyWith(changes: Partial<Policy>): Policy {
  return Object.freeze({ ...defaultPolicy, ...changes });
}
