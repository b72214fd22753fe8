import { Decimal, type DecimalLike, decimal } from '#money';
import type { CompiledTariff } from './compile.ts';
import { ruleBrokenBy } from './magnitude.ts';
import type { Note } from './notes.ts';
import type { Policy } from './policy.ts';
import type { Levels } from './restriction.ts';
import { type ChargingPeriod, InvalidCharge } from './shapes.ts';

/** A charging period, read: what happened in it and what had happened before. */
export interface Stretch {
  /** Place in charging_periods. */
  readonly index: number;
  readonly source: ChargingPeriod;
  readonly startMs: number;
  endMs: number;
  tariff: CompiledTariff | undefined;
  /** Energy of the session before this stretch. */
  energySoFarWh: Decimal;
  /** Undefined where the period does not carry the dimension. */
  energyWh: Decimal | undefined;
  chargingS: Decimal | undefined;
  parkingS: Decimal | undefined;
  reservationS: Decimal | undefined;
}

const HOUR_S = Decimal.of(3600);
const HOUR_MS = 3_600_000;

/** Fills in the volumes of a stretch; `endMs` NaN = the volumes say when it ended. */
export function readVolumes(stretch: Stretch, policy: Policy, notes: Note[]): void {
  const { dimensions } = stretch.source;
  if (!Array.isArray(dimensions)) throw invalid(stretch, 'dimensions', 'a list expected');
  let durations = 0;
  let lasting = 0;
  let duration = -1;
  for (let i = 0; i < dimensions.length; i++) {
    const type: unknown = dimensions[i]?.type;
    if (type === 'ENERGY') {
      stretch.energyWh = plus(stretch.energyWh, read(stretch, i, dimensions[i]!.volume).shift(3));
    } else if (typeof type !== 'string') {
      throw invalid(stretch, `dimensions[${i}].type`, 'a dimension expected');
    } else if (isDuration(type)) {
      durations++;
      // Partners write dimensions of 0 too.
      const lasts = Number(dimensions[i]!.volume) !== 0;
      if (lasts || lasting === 0) duration = i;
      if (lasts) lasting++;
    }
  }
  if (durations > 0) {
    const only = durations === 1 || lasting === 1 ? duration : undefined;
    readDurations(stretch, only, policy, notes);
  }
  if (stretch.energyWh?.isNegative())
    notes.push({ code: 'negative-energy', period: stretch.index });
  if (Number.isNaN(stretch.endMs)) stretch.endMs = endByVolumes(stretch);
}

/** `only` = the place of the one that lasted, of which the timestamps may say better how long. */
function readDurations(
  stretch: Stretch,
  only: number | undefined,
  policy: Policy,
  notes: Note[],
): void {
  const { dimensions } = stretch.source;
  const seconds = only === undefined ? undefined : ofTimestamps(stretch, only, policy);
  let durations = 0;
  for (let i = 0; i < dimensions.length; i++) {
    const { type } = dimensions[i]!;
    if (!isDuration(type)) continue;
    addDuration(stretch, type, i === only && seconds ? seconds : ofVolume(stretch, i, policy));
    durations++;
  }
  if (!seconds) compareWithTimestamps(stretch, durations, notes);
  if (stretch.reservationS) tellReservationApart(stretch);
}

function addDuration(stretch: Stretch, type: string, seconds: Decimal): void {
  if (type === 'TIME') stretch.chargingS = plus(stretch.chargingS, seconds);
  else if (type === 'PARKING_TIME') stretch.parkingS = plus(stretch.parkingS, seconds);
  else stretch.reservationS = plus(stretch.reservationS, seconds);
}

function isDuration(type: string): boolean {
  return type === 'TIME' || type === 'PARKING_TIME' || type === 'RESERVATION_TIME';
}

function plus(total: Decimal | undefined, more: Decimal): Decimal {
  return total === undefined ? more : total.add(more);
}

// TYP-04: numbers have 4 decimals, the last of which is 0.36 s of an hour; some partners send 3.
const LAST_OF_FOUR_MS = 360;
const HALF_LAST_OF_THREE_MS = 1800;

/**
 * The timestamps' duration in seconds where the volume is what is left of it after its hours were
 * rounded, or cut, to few decimals; else undefined.
 */
function ofTimestamps(stretch: Stretch, dimension: number, policy: Policy): Decimal | undefined {
  const { volume } = stretch.source.dimensions[dimension]!;
  const hours = typeof volume === 'number' ? volume : read(stretch, dimension, volume).toApproximate();
  const spanMs = stretch.endMs - stretch.startMs;
  if (!(spanMs >= 0) || policy.timeVolume === 'volume') return undefined;
  if (policy.timeVolume === 'timestamps') return secondsOf(spanMs);
  // 2.062 h have a double's last bit more than 7,423,200 ms: exactly half a decimal off is still within it.
  const offMs = Math.round(Math.abs(hours * HOUR_MS - spanMs) * 1e3) / 1e3;
  if (offMs < LAST_OF_FOUR_MS) return secondsOf(spanMs);
  const hasThree =
    Math.round(hours * 1e3) / 1e3 === hours && Math.round(hours * 1e2) / 1e2 !== hours;
  return hasThree && offMs <= HALF_LAST_OF_THREE_MS ? secondsOf(spanMs) : undefined;
}

function secondsOf(ms: number): Decimal {
  return ms % 1000 === 0 ? Decimal.of(ms / 1000) : Decimal.of(ms, 3);
}

/**
 * The volume's own duration in seconds. Where no timestamps say better, hours that cannot hold a
 * whole second (0.2667 for 16 minutes) stand for the one within their last decimal.
 */
function ofVolume(stretch: Stretch, dimension: number, policy: Policy): Decimal {
  const hours = read(stretch, dimension, stretch.source.dimensions[dimension]!.volume);
  if (hours.isNegative()) {
    throw invalid(stretch, `dimensions[${dimension}].volume`, 'a duration is never negative');
  }
  const seconds = hours.mul(HOUR_S);
  if (seconds.compare(DURATION_S_MAX) > 0) {
    throw invalid(stretch, `dimensions[${dimension}].volume`, 'less than 10,000 years expected');
  }
  if (policy.timeVolume === 'volume') return seconds;
  const whole = seconds.roundTo(0, 'half-away-from-zero');
  // A double has 15 sure digits, whatever it shows.
  const lastDecimal = Decimal.of(3600, Math.min(Math.max(4, hours.scale), 12));
  return whole.sub(seconds).abs().compare(lastDecimal) < 0 ? whole : seconds;
}

function compareWithTimestamps(stretch: Stretch, durations: number, notes: Note[]): void {
  const offMs = Math.abs(volumeMs(stretch) - (stretch.endMs - stretch.startMs));
  if (offMs >= durations * LAST_OF_FOUR_MS) {
    notes.push({ code: 'time-differs-from-timestamps', period: stretch.index });
  }
}

/**
 * PRC-15: partners write dimensions of 0 too. A reservation of no time is none beside what was
 * used; charging or parking of nothing is no use of the charger beside a reservation.
 */
function tellReservationApart(stretch: Stretch): void {
  const { energyWh, chargingS, parkingS } = stretch;
  if (stretch.reservationS!.isZero()) {
    if (energyWh || chargingS || parkingS) stretch.reservationS = undefined;
  } else if (!usesCharger(stretch)) {
    stretch.energyWh = stretch.chargingS = stretch.parkingS = undefined;
  }
}

/** Energy flowed, or time went by at the charger. */
export function usesCharger({ energyWh, chargingS, parkingS }: Stretch): boolean {
  return (
    (energyWh !== undefined && !energyWh.isZero()) ||
    (chargingS !== undefined && !chargingS.isZero()) ||
    (parkingS !== undefined && !parkingS.isZero())
  );
}

/** A driver who is kept waiting until the end has come all the same. */
export function isAtCharger(stretch: Stretch): boolean {
  const waits = stretch.reservationS === undefined && stretch.endMs > stretch.startMs;
  return waits || usesCharger(stretch);
}

// The last second that RFC 3339 can write.
const LAST_MS = 253_402_300_799_000;
const DURATION_S_MAX = Decimal.of(LAST_MS, 3);

function endByVolumes(stretch: Stretch): number {
  const endMs = stretch.startMs + volumeMs(stretch);
  if (endMs <= LAST_MS) return endMs;
  throw invalid(stretch, 'dimensions', 'durations that end before the year 10000 expected');
}

function volumeMs({ chargingS, parkingS, reservationS }: Stretch): number {
  let seconds = chargingS ?? Decimal.zero;
  if (parkingS) seconds = seconds.add(parkingS);
  if (reservationS) seconds = seconds.add(reservationS);
  return Number(seconds.shift(3).roundTo(0, 'half-away-from-zero').coefficient);
}

function read(stretch: Stretch, dimension: number, volume: DecimalLike): Decimal {
  const rule = ruleBrokenBy(volume);
  if (rule) throw invalid(stretch, `dimensions[${dimension}].volume`, rule);
  return decimal(volume);
}

function invalid(stretch: Stretch, field: string, rule: string): InvalidCharge {
  return new InvalidCharge(`charging_periods[${stretch.index}].${field}`, rule);
}

const NO_LEVELS: Levels = {};

/**
 * Current and power of a stretch, for a tariff that asks for them: a CDR's lowest and highest, or
 * the session's own CURRENT and POWER. One that is missing is taken from the other side.
 */
export function levelsOf(stretch: Stretch, policy: Policy): Levels {
  const { tariff } = stretch;
  if (!tariff?.usesCurrent && !tariff?.usesPower) return NO_LEVELS;
  const { dimensions } = stretch.source;
  const current: Span = [undefined, undefined, undefined];
  const power: Span = [undefined, undefined, undefined];
  for (let i = 0; i < dimensions.length; i++) {
    const { type, volume } = dimensions[i]!;
    const span = type.endsWith('CURRENT') ? current : type.endsWith('POWER') ? power : undefined;
    if (!span) continue;
    const side = type.startsWith('MIN_') ? 0 : type.startsWith('MAX_') ? 2 : 1;
    const level = read(stretch, i, volume);
    const before = span[side];
    const extremer =
      !before || (side === 0 ? level.compare(before) < 0 : level.compare(before) > 0);
    if (extremer) span[side] = level;
  }
  const idle =
    policy.missingLevel === 'average-power' && !(stretch.energyWh && !stretch.energyWh.isZero());
  const missingCurrent = idle ? Decimal.zero : undefined;
  const missingPower = isMissing(power) ? averagePower(stretch, policy) : undefined;
  return {
    min_current: current[0] ?? current[1] ?? current[2] ?? missingCurrent,
    max_current: current[2] ?? current[1] ?? current[0] ?? missingCurrent,
    min_power: power[0] ?? power[1] ?? power[2] ?? missingPower,
    max_power: power[2] ?? power[1] ?? power[0] ?? missingPower,
  };
}

/** The tariff asks for a level that nobody told: unknown, or taken for 0 of charging that tells no energy either. */
export function lacksLevel({ tariff, source, chargingS, energyWh }: Stretch, levels: Levels): boolean {
  const isGuessed = chargingS !== undefined && !chargingS.isZero() && energyWh === undefined;
  const lacks = (level: Decimal | undefined, what: string) =>
    level === undefined || (isGuessed && !source.dimensions.some(({ type }) => type.endsWith(what)));
  return (
    (tariff!.usesCurrent && lacks(levels.min_current, 'CURRENT')) ||
    (tariff!.usesPower && lacks(levels.min_power, 'POWER'))
  );
}

/** Lowest, momentary, highest. */
type Span = [Decimal | undefined, Decimal | undefined, Decimal | undefined];

function isMissing(span: Span): boolean {
  return !span[0] && !span[1] && !span[2];
}

/** kW: energy over time; nothing where no energy flowed. */
function averagePower(stretch: Stretch, policy: Policy): Decimal | undefined {
  if (policy.missingLevel !== 'average-power') return undefined;
  const wh = stretch.energyWh ?? Decimal.zero;
  const ms = stretch.endMs - stretch.startMs;
  if (wh.isZero()) return Decimal.zero;
  return ms > 0 ? wh.mul(HOUR_S).divide(Decimal.of(ms), 6, 'half-even') : undefined;
}
