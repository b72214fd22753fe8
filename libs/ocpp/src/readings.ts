import type { MeterValue16, SampledValue16 } from './core16.ts';
import { addDecimals, shiftDecimal } from './decimal-text.ts';
import { parseInstant } from './instant.ts';

/** Currents in mA: of one phase, or `total` where the station names no phase. */
export interface Currents {
  readonly L1?: number;
  readonly L2?: number;
  readonly L3?: number;
  readonly total?: number;
}

/**
 * What a meter said at one instant. Absent = not said. Energy and power are exact decimal texts.
 */
export interface Reading {
  /** Epoch milliseconds of the sample, not of its arrival (J-49). */
  readonly at: number;
  /**
   * `Sample.Periodic` unless said otherwise; `Transaction.Begin` and `.End` are what billing rests
   * on.
   */
  readonly context: string;
  /**
   * Active energy imported, Wh of the register: only differences within a transaction mean
   * something (S16-30).
   */
  readonly energyWh?: string;
  /** Active power imported, W, all phases. */
  readonly powerW?: string;
  readonly currentMa?: Currents;
  readonly voltageV?: string;
  readonly socPercent?: string;
}

const defaults = {
  context: 'Sample.Periodic',
  measurand: 'energy.active.import.register',
  location: 'outlet',
  format: 'raw',
} as const;

/**
 * Measurand → unit when absent, and by how many places each unit moves the point (S16-28, S16-30).
 * In small letters, as what is said is read (T-19).
 */
const scales: Readonly<
  Record<string, { readonly unit: string; readonly places: Readonly<Record<string, number>> }>
> = {
  'energy.active.import.register': { unit: 'wh', places: { wh: 0, kwh: 3 } },
  'power.active.import': { unit: 'w', places: { w: 0, kw: 3 } },
  'current.import': { unit: 'a', places: { a: 3 } },
  voltage: { unit: 'v', places: { v: 0 } },
  soc: { unit: 'percent', places: { percent: 0 } },
};

interface Sample {
  readonly measurand: string;
  readonly location: string;
  readonly phase: string | undefined;
  readonly value: string;
}

/**
 * The readings of a MeterValues or of a StopTransaction's transactionData, in the order sent, one
 * per timestamp and context: some stations make a MeterValue of each sampled value. What is not
 * understood (signed data, other measurands, text that is no decimal number, a unit that does not
 * belong to the measurand) is left out: the frame is in the journal as it came. OCPP 1.6 §7.43,
 * rules S16-28..S16-31, M-30, M-31.
 */
export function readings(meterValues: readonly MeterValue16[]): Reading[] {
  const moments: Moment[] = [];
  const newest = new Map<string, Moment>();
  for (const { timestamp, sampledValue } of meterValues) {
    const at = parseInstant(timestamp);
    if (at === undefined) continue;
    for (const [context, samples] of byContext(sampledValue)) {
      const key = `${at} ${context}`;
      const known = newest.get(key);
      if (known && !samples.some((sample) => known.samples.some((one) => isSameQuantity(one, sample)))) {
        known.samples.push(...samples);
        continue;
      }
      const moment = { at, context, samples };
      moments.push(moment);
      newest.set(key, moment);
    }
  }
  return moments.map(({ at, context, samples }) => ({ at, context, ...summary(samples) }));
}

interface Moment {
  readonly at: number;
  readonly context: string;
  readonly samples: Sample[];
}

function byContext(sampledValues: readonly SampledValue16[]): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>();
  for (const sampled of sampledValues) {
    const sample = readSample(sampled);
    if (!sample) continue;
    const context = sampled.context?.trim() || defaults.context;
    const samples = found.get(context);
    if (samples) samples.push(sample);
    else found.set(context, [sample]);
  }
  return found;
}

function isSameQuantity(a: Sample, b: Sample): boolean {
  return a.measurand === b.measurand && a.phase === b.phase && a.location === b.location;
}

/** Below 10^12 Wh or W, and 10^9 mA: more than any meter of a charger can mean. */
const measurable = /^-?\d{1,12}(\.\d{1,24})?$/;
const currentMaMax = 1e9;

function readSample(sampled: SampledValue16): Sample | undefined {
  if ((said(sampled.format) ?? defaults.format) !== 'raw') return undefined;
  const measurand = said(sampled.measurand) ?? defaults.measurand;
  const scale = Object.hasOwn(scales, measurand) ? scales[measurand] : undefined;
  // 1.6: the unit's own default is Wh, whatever the measurand; for another measurand it can only be
  // an omission.
  const unit = said(sampled.unit) ?? scale?.unit ?? '';
  if (!scale || !Object.hasOwn(scale.places, unit)) return undefined;
  const places = scale.places[unit]!;
  const value = shiftDecimal(sampled.value, places);
  if (value === undefined || !measurable.test(value)) return undefined;
  if (measurand === 'current.import' && Math.abs(Number(value)) > currentMaMax) return undefined;
  return {
    measurand,
    location: said(sampled.location) ?? defaults.location,
    phase: said(sampled.phase),
    value,
  };
}

/** Empty is absent. */
function said(word: string | undefined): string | undefined {
  return word?.trim().toLowerCase() || undefined;
}

function summary(samples: readonly Sample[]): Omit<Reading, 'at' | 'context'> {
  const of = (measurand: string): Sample[] =>
    nearest(samples.filter((sample) => sample.measurand === measurand));
  const energyWh = total(of('energy.active.import.register'));
  const powerW = total(of('power.active.import'));
  const currentMa = currents(of('current.import'));
  const voltageV = of('voltage')[0]?.value;
  const socPercent = of('soc')[0]?.value;
  return {
    ...(energyWh !== undefined && { energyWh }),
    ...(powerW !== undefined && { powerW }),
    ...(currentMa && { currentMa }),
    ...(voltageV !== undefined && { voltageV }),
    ...(socPercent !== undefined && { socPercent }),
  };
}

/** The same quantity may be measured at several places: the one nearest to what is sold counts. */
const places = ['outlet', 'cable', 'inlet', 'body', 'ev'];

function nearest(samples: readonly Sample[]): Sample[] {
  const place = places.find((name) => samples.some((sample) => sample.location === name));
  return samples.filter((sample) => sample.location === (place ?? samples[0]!.location));
}

/** M-31: phases are added only where no total is given. */
function total(samples: readonly Sample[]): string | undefined {
  const whole = samples.find((sample) => sample.phase === undefined);
  if (whole) return whole.value;
  const phases = [...phasesOf(samples).values()];
  if (phases.length > 0) return addDecimals(phases);
  // The only one there is, though said of N or between two lines, is of all.
  return samples.length === 1 ? samples[0]!.value : undefined;
}

function currents(samples: readonly Sample[]): Currents | undefined {
  const result: { -readonly [K in keyof Currents]: Currents[K] } = {};
  for (const [phase, value] of phasesOf(samples)) result[phase] = Math.round(Number(value));
  const whole = samples.find((sample) => sample.phase === undefined);
  if (whole) result.total = Math.round(Number(whole.value));
  return Object.keys(result).length > 0 ? result : undefined;
}

function phasesOf(samples: readonly Sample[]): Map<'L1' | 'L2' | 'L3', string> {
  const result = new Map<'L1' | 'L2' | 'L3', string>();
  for (const { phase, value } of samples) {
    const line = phase?.replace(/-n$/, '').toUpperCase();
    if ((line === 'L1' || line === 'L2' || line === 'L3') && !result.has(line))
      result.set(line, value);
  }
  return result;
}
