import { Decimal } from '#money';
import { type ChargingPeriod, type Location, sameId, type Session, type Tariff } from '#ocpi';
import { type ChargeState, type Meter, meterFold, type MeterState, price } from '#pricing';
import { instant, rfc3339 } from '#time';
import {
  type Doubted,
  type Judged,
  judged,
  powerWMaxOf,
  type Reading,
  type Register,
  ROUNDED_TENTH_WH,
  tenthsOf,
} from './register.ts';
import type { Snapshots } from './session-events.ts';

/** By which a session is metered and priced, as it was at its start. */
export interface Terms {
  readonly tariff: Tariff;
  readonly timeZone: string;
  /** The most that the connector gives, where that is known. */
  readonly powerWMax?: number | undefined;
}

export function termsOf({ tariff, location }: Pick<Snapshots, 'tariff' | 'location'>): Terms {
  return { tariff, timeZone: location.time_zone, powerWMax: powerWMaxOf(location) };
}

/**
 * A session's meter, and what of it was told. Each refresh closes a period at the newest reading, so
 * that the periods only ever grow (SES-03); what comes later is cut off there.
 */
export interface Metering {
  readonly meter: MeterState;
  /** Added to what the register shows, since it began again. */
  readonly carriedTenthWh: number;
  readonly doubted?: Doubted | undefined;
  readonly told: readonly ChargingPeriod[];
  /** The reading up to which periods were told, and how many price changes had been seen by then. */
  readonly cut: { readonly atMs: number; readonly tenthWh: number; readonly changes: number };
  /** Between the newest two readings. */
  readonly paceMs: number;
}

/** `told`: what lies before the charge, such as its reservation. */
export function startMetering(
  terms: Terms,
  at: string,
  meterStartWh: string,
  told: readonly ChargingPeriod[] = [],
): Metering {
  const meter = foldOf(terms).start({ at, energyWh: meterStartWh, state: 'charging' });
  return { meter, carriedTenthWh: 0, told, cut: { atMs: meter.atMs, tenthWh: meter.tenthWh, changes: 0 }, paceMs: 0 };
}

/** What is new of readings: those that count, and those that cannot be. */
export interface Heard {
  readonly readings: readonly Reading[];
  readonly leftOut: readonly Doubted[];
}

/** A repeat and an older reading say nothing new. */
export function newReadings(terms: Terms, metering: Metering, given: readonly Reading[]): Heard {
  let register = registerOf(metering);
  const readings: Reading[] = [];
  const leftOut: Doubted[] = [];
  const splits = looksAtLevels(terms.tariff);
  const { told, cut, meter: { closed } } = metering;
  const periods = told.length + closed.length - cut.changes;
  for (const reading of inOrder(given)) {
    const { at, energyWh } = reading;
    const [atMs, rawTenthWh] = [instant(at), tenthsOf(energyWh)];
    const isTooSoon = atMs - register.atMs < (atMs - register.startMs) / AGE_PER_PERIOD_OF_MANY;
    if (splits && isTooSoon && periods + readings.length >= PERIODS_MANY) continue;
    const fallen = register.tenthWh - register.carriedTenthWh - rawTenthWh;
    if (atMs < register.atMs || (atMs === register.atMs && fallen >= 0)) continue;
    if (fallen > 0 && fallen <= ROUNDED_TENTH_WH) continue;
    const found = judged(register, { atMs, rawTenthWh }, terms.powerWMax);
    const { doubted } = register;
    if (found.counts === 'not') {
      if (doubted && atMs <= instant(doubted.at)) continue;
      const doubt = { at, energyWh, why: found.why };
      leftOut.push(doubt);
      register = { ...register, doubted: doubt };
      continue;
    }
    const { tenthWh, carriedTenthWh } = found;
    readings.push({ ...reading, ...carriedBy(found) });
    register = { ...register, atMs, tenthWh, carriedTenthWh, doubted: stillDoubted(doubted, atMs) };
  }
  return { readings, leftOut };
}

/**
 * A Session of more periods than this is told, and by a price that goes by levels parted, ten times less often: of some
 * 3,000 it could not be told any more. SES-12
 */
const PERIODS_MANY = 1_500;
const AGE_PER_PERIOD_OF_MANY = 100;

function looksAtLevels({ elements }: Tariff): boolean {
  return elements.some(({ restrictions: of }) =>
    [of?.min_power, of?.max_power, of?.min_current, of?.max_current].some((level) => level != null));
}

export const isNews = ({ readings, leftOut }: Heard): boolean =>
  readings.length + leftOut.length > 0;

export function registerOf({ meter, carriedTenthWh, doubted }: Metering): Register {
  const { startMs, startTenthWh, atMs, tenthWh } = meter;
  return { startMs, startTenthWh, atMs, tenthWh, carriedTenthWh, doubted };
}

function carriedBy(found: Exclude<Judged, { counts: 'not' }>): Pick<Reading, 'carried'> {
  if (found.counts === 'on') return {};
  return { carried: { wh: Decimal.of(found.carriedTenthWh, 1).toString(), as: found.counts } };
}

const stillDoubted = (doubted: Doubted | undefined, atMs: number): Doubted | undefined =>
  doubted && instant(doubted.at) >= atMs ? doubted : undefined;

type EnergyReading = Reading & { readonly energyWh: string };

/**
 * By time, and with all that was told for the instant: energy and levels may come apart. The highest
 * register of an instant comes first: beside their own, some stations repeat the one of the start.
 */
function inOrder(given: readonly Reading[]): EnergyReading[] {
  return given
    .filter((reading): reading is EnergyReading => reading.energyWh !== undefined)
    .map((reading) => {
      const levels = given.filter(({ at, energyWh }) => at === reading.at && energyWh === undefined);
      return levels.length === 0 ? reading : { ...Object.assign({}, ...levels), ...reading };
    })
    .toSorted(
      (a, b) => instant(a.at) - instant(b.at) || tenthsOf(b.energyWh) - tenthsOf(a.energyWh),
    );
}

export function takeReadings(
  terms: Terms,
  metering: Metering,
  { readings, leftOut = [] }: { readings: readonly Reading[]; leftOut?: readonly Doubted[] },
): Metering {
  const { take } = foldOf(terms);
  let { meter, carriedTenthWh, paceMs } = metering;
  for (const { at, energyWh = '0', carried, powerW, currentMa } of readings) {
    paceMs = instant(at) - meter.atMs || paceMs;
    if (carried) carriedTenthWh = tenthsOf(carried.wh);
    meter = take(meter, {
      at,
      energyWh: Decimal.of(tenthsOf(energyWh) + carriedTenthWh, 1),
      ...(powerW === undefined ? {} : { powerW }),
      ...(currentMa === undefined ? {} : { currentA: Decimal.of(currentMa, 3) }),
    });
  }
  const doubted = stillDoubted(leftOut.at(-1) ?? metering.doubted, meter.atMs);
  return { ...metering, meter, carriedTenthWh, doubted, paceMs };
}

/** The car became another state; one that is told late begins where the known past ends. */
export function turned(
  terms: Terms,
  metering: Metering,
  { at, state }: { at: string; state: ChargeState },
): Metering {
  return { ...metering, meter: foldOf(terms).take(metering.meter, { at, state }) };
}

/**
 * Up to the end, which is no earlier than the newest reading. `energyWh` is the register with what it
 * carries; without it nothing flowed.
 */
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
  metering: Metering,
  told: readonly ChargingPeriod[],
): Metering {
  const { meter } = metering;
  return {
    ...metering,
    told,
    cut: { atMs: meter.atMs, tenthWh: meter.tenthWh, changes: meter.closed.length },
  };
}

/** Platform time between two refreshes of a Session, by what its connector gives. */
export interface UpdateEveryMs {
  readonly ac: number;
  readonly dc: number;
}

export function updateEveryMsOf(
  { evses = [] }: { readonly evses?: Location['evses'] },
  connectorId: string,
  { ac, dc }: UpdateEveryMs,
): number {
  const connectors = evses.flatMap((evse) => evse.connectors);
  const isDc = connectors.some(({ id, power_type: type }) => sameId(id, connectorId) && type === 'DC');
  return isDc ? dc : ac;
}

/** Of a session's age, between two refreshes. */
export const AGE_PER_REFRESH = 1_000;

/**
 * Whether it is time to tell: after the interval, and of a session that is older than a thousand of
 * them (17 h of DC, three and a half days of AC) after such a part of its age, so that one of a month is still carried whole (SES-12); and
 * at once when the price changed. One of very many periods is told less often. A reading a tenth of that early will do, where it is nearer than the next:
 * of a meter that is read every minute, a second early or late, each is told, and not every other one.
 */
export function isRefreshDue({ meter, told, cut, paceMs }: Metering, updateEveryMs: number): boolean {
  if (meter.closed.length > cut.changes) return true;
  const agePerRefresh = told.length < PERIODS_MANY ? AGE_PER_REFRESH : AGE_PER_PERIOD_OF_MANY;
  const everyMs = Math.max(updateEveryMs, (meter.atMs - meter.startMs) / agePerRefresh);
  return meter.atMs - cut.atMs + Math.min(paceMs / 2, everyMs / 10) >= everyMs;
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
  given: Metering,
  end?: { at: string; energyWh?: string },
): Measured {
  const metering = end ? stoppedAt(terms, given, end) : given;
  const { meter, told } = metering;
  const { atMs: endMs, tenthWh } = meter;
  const whole = foldOf(terms).periods(meter, { at: rfc3339(endMs) }) as ChargingPeriod[];
  const charging_periods = [...told, ...periodsAfter(whole, metering)];
  const { total } = price(
    {
      start_date_time: rfc3339(Math.min(meter.startMs, firstMs(told) ?? meter.startMs)),
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

const firstMs = ([first]: readonly ChargingPeriod[]): number | undefined =>
  first && instant(first.start_date_time);

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
  const isTold = (firstMs(told.slice(-1)) ?? 0) >= meter.startMs;
  if (periods.length > 0 || (tenthWh === cut.tenthWh && isTold)) return periods;
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
export function hoursOf(ms: number): number {
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

/** Folds are made once per tariff object: compiling one for each reading would cost more than the fold. */
const folds = new WeakMap<Tariff, Map<string, Meter>>();

function foldOf({ tariff, timeZone }: Terms): Meter {
  const known = folds.get(tariff) ?? new Map<string, Meter>();
  folds.set(tariff, known);
  const fold = known.get(timeZone) ?? meterFold({ tariff, timeZone });
  known.set(timeZone, fold);
  return fold;
}
