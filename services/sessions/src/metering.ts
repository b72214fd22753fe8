import { Decimal, decimal } from '#money';
import type { ChargingPeriod, Session, Tariff } from '#ocpi';
import { type ChargeState, type Meter, meterFold, type MeterState, price } from '#pricing';
import { instant, rfc3339 } from '#time';

/** A reading of a charger's meter that counts for the session. Decimal text. */
export interface Reading {
  readonly at: string;
  readonly energyWh?: string;
  readonly powerW?: string;
  readonly socPercent?: string;
}

/** By which a session is metered and priced, as it was at its start. */
export interface Terms {
  readonly tariff: Tariff;
  readonly timeZone: string;
}

/**
 * A session's meter, and what of it was told. Each refresh closes a period at the newest reading, so
 * that the periods only ever grow (SES-03); what comes later is cut off there.
 */
export interface Metering {
  readonly meter: MeterState;
  readonly told: readonly ChargingPeriod[];
  /** The reading up to which periods were told, and how many price changes had been seen by then. */
  readonly cut: { readonly atMs: number; readonly tenthWh: number; readonly changes: number };
}

export function startMetering(terms: Terms, at: string, meterStartWh: string): Metering {
  const meter = foldOf(terms).start({ at, energyWh: meterStartWh, state: 'charging' });
  return { meter, told: [], cut: { atMs: meter.atMs, tenthWh: meter.tenthWh, changes: 0 } };
}

/** The readings that say something new: a repeat, an older one and a lower register do not. */
export function newReadings({ meter }: Metering, readings: readonly Reading[]): Reading[] {
  let { atMs, tenthWh } = meter;
  return readings
    .toSorted((a, b) => instant(a.at) - instant(b.at))
    .filter((reading) => {
      if (reading.energyWh === undefined) return false;
      const readMs = instant(reading.at);
      const readTenthWh = tenthsOf(reading.energyWh);
      if (readMs < atMs || readTenthWh < tenthWh || (readMs === atMs && readTenthWh === tenthWh))
        return false;
      atMs = readMs;
      tenthWh = readTenthWh;
      return true;
    });
}

export function takeReadings(
  terms: Terms,
  metering: Metering,
  readings: readonly Reading[],
): Metering {
  const { take } = foldOf(terms);
  const meter = readings.reduce(
    (state, { at, energyWh, powerW }) =>
      take(state, {
        at,
        ...(energyWh === undefined ? {} : { energyWh }),
        ...(powerW === undefined ? {} : { powerW }),
      }),
    metering.meter,
  );
  return { ...metering, meter };
}

/** The car became another state; one that is told late begins where the known past ends. */
export function turned(
  terms: Terms,
  metering: Metering,
  { at, state }: { at: string; state: ChargeState },
): Metering {
  return { ...metering, meter: foldOf(terms).take(metering.meter, { at, state }) };
}

/** Up to the end, which is no earlier than the newest reading; without a register nothing flowed. */
export function stoppedAt(
  terms: Terms,
  { meter, ...metering }: Metering,
  end: { at: string; energyWh?: string },
): Metering {
  const endMs = Math.max(meter.atMs, instant(end.at));
  const tenthWh = Math.max(meter.tenthWh, tenthsOf(end.energyWh ?? '0'));
  // Turns from then on are no longer the charge's.
  const changes = meter.changes.filter(({ atMs }) => atMs < endMs);
  const last = { at: rfc3339(endMs), energyWh: Decimal.of(tenthWh, 1) };
  return { ...metering, meter: foldOf(terms).take({ ...meter, changes }, last) };
}

/** The periods up to the newest reading were told. */
export function toldUpToNow(
  { meter }: Pick<Metering, 'meter'>,
  told: readonly ChargingPeriod[],
): Metering {
  return {
    meter,
    told,
    cut: { atMs: meter.atMs, tenthWh: meter.tenthWh, changes: meter.closed.length },
  };
}

/** Of a session's age, between two refreshes. */
export const AGE_PER_REFRESH = 60;

/**
 * Whether it is time to tell: after the interval and after a sixtieth of the session's age, so that
 * even a day-long session has a few hundred periods (SES-12); and at once when the price changed.
 */
export function isRefreshDue({ meter, cut }: Metering, updateEveryMs: number): boolean {
  if (meter.closed.length > cut.changes) return true;
  return (
    meter.atMs - cut.atMs >= Math.max(updateEveryMs, (meter.atMs - meter.startMs) / AGE_PER_REFRESH)
  );
}

/** Where a charge stands, or how it ended: the part of a Session that metering decides. */
export type Measured = Required<Pick<Session, 'kwh' | 'charging_periods' | 'total_cost'>> & {
  readonly endMs: number;
  /** Decimal text. */
  readonly energyWh: string;
};

/** Up to the newest reading, or up to the end with its register. */
export function measured(
  terms: Terms,
  metering: Metering,
  end?: { at: string; energyWh?: string },
): Measured {
  const { meter, told, cut } = end ? stoppedAt(terms, metering, end) : metering;
  const { atMs: endMs, tenthWh } = meter;
  const whole = foldOf(terms).periods(meter, { at: rfc3339(endMs) }) as ChargingPeriod[];
  const charging_periods = [...told, ...periodsAfter(whole, { meter, told, cut })];
  const { total } = price(
    {
      start_date_time: rfc3339(meter.startMs),
      currency: terms.tariff.currency,
      tariffs: [terms.tariff],
      charging_periods,
    },
    { timeZone: terms.timeZone, end: rfc3339(endMs) },
  );
  return {
    endMs,
    energyWh: Decimal.of(tenthWh - meter.startTenthWh, 1).toString(),
    kwh: kwhOf(tenthWh - meter.startTenthWh),
    charging_periods,
    total_cost: {
      excl_vat: total.excl.toJsonNumber(),
      ...(total.incl ? { incl_vat: total.incl.toJsonNumber() } : {}),
    },
  };
}

/**
 * The metered periods after the cut; the one that runs across it begins there. Energies are
 * differences of the register from the cut on, so they add up to it whatever lies between.
 */
function periodsAfter(
  whole: readonly ChargingPeriod[],
  { meter, told, cut }: Metering,
): ChargingPeriod[] {
  const { atMs: endMs, tenthWh } = meter;
  const periods: ChargingPeriod[] = [];
  let reached = meter.startTenthWh;
  let taken = cut.tenthWh;
  whole.forEach((period, n) => {
    const next = whole[n + 1];
    const periodEndMs = next ? instant(next.start_date_time) : endMs;
    reached = next ? reached + tenthsIn(period) : tenthWh;
    if (periodEndMs <= cut.atMs) return;
    const startMs = Math.max(instant(period.start_date_time), cut.atMs);
    periods.push(asTold(period, startMs, periodEndMs, reached - taken));
    taken = reached;
  });
  if (periods.length > 0 || (tenthWh === cut.tenthWh && told.length > 0)) return periods;
  // Nothing but energy came after the cut, in no time at all; or the whole session took no time.
  const last = whole.at(-1)!;
  return [asTold(last, cut.atMs, cut.atMs, tenthWh - cut.tenthWh)];
}

/** A period with the energy and duration that it has when told. */
function asTold(
  period: ChargingPeriod,
  startMs: number,
  endMs: number,
  tenthWh: number,
): ChargingPeriod {
  const others = period.dimensions.filter(({ type }) => type !== 'ENERGY');
  const parks = others.some(({ type }) => type === 'PARKING_TIME');
  return {
    ...period,
    start_date_time: rfc3339(startMs),
    dimensions: [
      ...(parks && tenthWh === 0 ? [] : [{ type: 'ENERGY' as const, volume: kwhOf(tenthWh) }]),
      ...others.map(({ type, volume }) => ({
        type,
        volume: type === 'TIME' || type === 'PARKING_TIME' ? hoursOf(endMs - startMs) : volume,
      })),
    ],
  };
}

const HOUR_MS = Decimal.of(3_600_000);

/**
 * Eight decimals where OCPI's usual four (TYP-04) are not exact: four are off by up to 0.18 s, which
 * over hundreds of periods becomes money for whoever prices by volumes.
 */
function hoursOf(ms: number): number {
  return Decimal.of(ms).divide(HOUR_MS, 8, 'half-away-from-zero').toJsonNumber();
}

/** Exact: a tenth of a Wh is the fourth decimal of a kWh. */
function kwhOf(tenthWh: number): number {
  return Decimal.of(tenthWh, 4).toJsonNumber();
}

function tenthsIn({ dimensions }: ChargingPeriod): number {
  const energy = dimensions.find(({ type }) => type === 'ENERGY');
  return energy ? Math.round(energy.volume * 10_000) : 0;
}

/** Registers count in tenths of a Wh, rounded half away from zero, as the meter fold does. */
export function tenthsOf(energyWh: string): number {
  return Number(decimal(energyWh).shift(1).roundTo(0, 'half-away-from-zero').coefficient);
}

/** Folds are made once per tariff object: compiling one for each reading would cost more than the fold. */
const folds = new WeakMap<Tariff, Map<string, Meter>>();

function foldOf({ tariff, timeZone }: Terms): Meter {
  const known = folds.get(tariff) ?? new Map<string, Meter>();
  folds.set(tariff, known);
  const fold = known.get(timeZone) ?? meterFold({ tariff, timeZone });
  known.set(timeZone, fold);
  return fold;
}
