import { Decimal, type DecimalLike, decimal } from '#money';
import type { CompiledTariff } from './compile.ts';
import type { Note } from './notes.ts';
import type { Policy } from './policy.ts';
import type { Levels } from './restriction.ts';
import { type CdrDimension, type ChargingPeriod, InvalidCharge } from './shapes.ts';

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
  for (let i = 0; i < dimensions.length; i++) if (isDuration(dimensions[i]!)) durations++;
  const spanMs = durations === 1 ? stretch.endMs - stretch.startMs : Number.NaN;
  for (let i = 0; i < dimensions.length; i++) {
    const { type, volume } = dimensions[i]!;
    if (type === 'ENERGY') {
      stretch.energyWh = plus(stretch.energyWh, read(stretch, i, volume).shift(3));
    } else if (isDuration(dimensions[i]!)) {
      const seconds = duration(volume, spanMs, policy) ?? inSeconds(stretch, i, notes);
      if (type === 'TIME') stretch.chargingS = plus(stretch.chargingS, seconds);
      else if (type === 'PARKING_TIME') stretch.parkingS = plus(stretch.parkingS, seconds);
      else stretch.reservationS = plus(stretch.reservationS, seconds);
    }
  }
  if (stretch.energyWh?.isNegative())
    notes.push({ code: 'negative-energy', period: stretch.index });
  if (Number.isNaN(stretch.endMs)) stretch.endMs = stretch.startMs + volumeMs(stretch);
}

function isDuration({ type }: CdrDimension): boolean {
  return type === 'TIME' || type === 'PARKING_TIME' || type === 'RESERVATION_TIME';
}

function plus(total: Decimal | undefined, more: Decimal): Decimal {
  return total === undefined ? more : total.add(more);
}

/**
 * The timestamps' duration in seconds where the volume is what is left of it after rounding to the
 * hours' few decimals, else undefined. TYP-04: numbers have 4 decimals; some partners send 3.
 */
function duration(hours: DecimalLike, spanMs: number, policy: Policy): Decimal | undefined {
  if (!(spanMs >= 0) || policy.timeVolume === 'volume') return undefined;
  if (policy.timeVolume === 'timestamps') return Decimal.of(spanMs, 3);
  const value = typeof hours === 'number' ? hours : Number(String(hours));
  const hasThree =
    Math.round(value * 1e3) / 1e3 === value && Math.round(value * 1e2) / 1e2 !== value;
  const toleranceMs = hasThree ? 1800 : 180;
  return Math.abs(value * HOUR_MS - spanMs) <= toleranceMs ? Decimal.of(spanMs, 3) : undefined;
}

function inSeconds(stretch: Stretch, dimension: number, notes: Note[]): Decimal {
  const hours = read(stretch, dimension, stretch.source.dimensions[dimension]!.volume);
  if (hours.isNegative()) {
    throw invalid(stretch, `dimensions[${dimension}].volume`, 'a duration is never negative');
  }
  if (!Number.isNaN(stretch.endMs)) {
    notes.push({ code: 'time-differs-from-timestamps', period: stretch.index });
  }
  return hours.mul(HOUR_S);
}

function volumeMs(stretch: Stretch): number {
  let seconds = stretch.chargingS ?? Decimal.zero;
  if (stretch.parkingS) seconds = seconds.add(stretch.parkingS);
  if (stretch.reservationS) seconds = seconds.add(stretch.reservationS);
  return Number(seconds.shift(3).roundTo(0, 'half-away-from-zero').coefficient);
}

function read(stretch: Stretch, dimension: number, volume: DecimalLike): Decimal {
  try {
    return decimal(volume);
  } catch {
    throw invalid(stretch, `dimensions[${dimension}].volume`, 'a decimal number expected');
  }
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
  if (!stretch.tariff?.usesLevels) return NO_LEVELS;
  const { dimensions } = stretch.source;
  const current: Span = [undefined, undefined, undefined];
  const power: Span = [undefined, undefined, undefined];
  for (let i = 0; i < dimensions.length; i++) {
    const { type, volume } = dimensions[i]!;
    const span = type.endsWith('CURRENT') ? current : type.endsWith('POWER') ? power : undefined;
    if (span)
      span[type.startsWith('MIN_') ? 0 : type.startsWith('MAX_') ? 2 : 1] = read(
        stretch,
        i,
        volume,
      );
  }
  const idle = policy.missingLevel === 'average-power' && !stretch.energyWh?.coefficient;
  const missingCurrent = idle ? Decimal.zero : undefined;
  const missingPower = isMissing(power) ? averagePower(stretch, policy) : undefined;
  return {
    min_current: current[0] ?? current[1] ?? current[2] ?? missingCurrent,
    max_current: current[2] ?? current[1] ?? current[0] ?? missingCurrent,
    min_power: power[0] ?? power[1] ?? power[2] ?? missingPower,
    max_power: power[2] ?? power[1] ?? power[0] ?? missingPower,
  };
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
