import { Decimal } from '#money';
import { instant } from '#time';
import { type CompiledTariff, compile } from './compile.ts';
import type { Note } from './notes.ts';
import type { Policy } from './policy.ts';
import { type Charge, type ChargingPeriod, InvalidCharge, InvalidTariff, type Tariff } from './shapes.ts';
import { readVolumes, type Stretch, usesCharger } from './stretch.ts';

/** A charge, read: its stretches in order of time. */
export interface Course {
  readonly startMs: number;
  readonly endMs: number;
  /** Where the session's durations count from: not from a reservation before it. */
  readonly chargingStartMs: number;
  readonly stretches: readonly Stretch[];
  /** '' where neither the charge nor its tariff names one. */
  readonly currency: string;
  readonly notes: Note[];
}

/** Reads a charge; `end` (RFC 3339) stands in for one that still runs. Throws InvalidCharge. */
export function readCourse(charge: Charge, policy: Policy, end?: string): Course {
  if (!isObject(charge)) throw new InvalidCharge('charge', 'an object expected');
  const { start_date_time, end_date_time = end, charging_periods: periods, tariffs } = charge;
  if (!Array.isArray(periods) || periods.length === 0) {
    throw new InvalidCharge('charging_periods', 'at least one period expected');
  }
  if (!Array.isArray(tariffs) || tariffs.length === 0) {
    throw new InvalidCharge('tariffs', 'at least one tariff expected');
  }
  for (let i = 0; i < tariffs.length; i++) {
    if (!isObject(tariffs[i])) throw new InvalidCharge(`tariffs[${i}]`, 'a tariff expected');
  }
  const notes: Note[] = [];
  const stretches = readStretches(periods, notes);
  const first = stretches[0]!;
  const startMs =
    start_date_time == null || start_date_time === first.source.start_date_time
      ? first.startMs
      : (knownInstant(start_date_time, 'start_date_time', notes) ?? first.startMs);
  const endMs =
    end_date_time == null
      ? Number.NaN
      : (knownInstant(end_date_time, 'end_date_time', notes) ?? Number.NaN);
  let chargingStartMs = Number.NaN;
  let energySoFarWh = Decimal.zero;
  for (let i = 0; i < stretches.length; i++) {
    const stretch = stretches[i]!;
    stretch.endMs = i + 1 < stretches.length ? stretches[i + 1]!.startMs : endMs;
    stretch.energySoFarWh = energySoFarWh;
    readVolumes(stretch, policy, notes);
    if (stretch.energyWh && i + 1 < stretches.length) {
      energySoFarWh = energySoFarWh.add(stretch.energyWh);
    }
    if (stretch.startMs < startMs || stretch.endMs < stretch.startMs) {
      notes.push({ code: 'period-outside-session', period: stretch.index });
    }
    if (chargingStartMs !== chargingStartMs && !isReservation(stretch)) {
      chargingStartMs =
        i === 0 || policy.durationOrigin === 'cdr-start' ? startMs : stretch.startMs;
    }
  }
  const lastMs = stretches[stretches.length - 1]!.endMs;
  new TariffChoice(tariffs, startMs, policy, notes).choose(stretches);
  return {
    startMs,
    endMs: lastMs,
    chargingStartMs: Number.isNaN(chargingStartMs) ? lastMs : chargingStartMs,
    stretches,
    currency: charge.currency ?? tariffs[0]!.currency ?? '',
    notes,
  };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isReservation(stretch: Stretch): boolean {
  return stretch.reservationS !== undefined && !usesCharger(stretch);
}

function readStretches(periods: readonly ChargingPeriod[], notes: Note[]): Stretch[] {
  const stretches = new Array<Stretch>(periods.length);
  let ordered = true;
  for (let index = 0; index < periods.length; index++) {
    const source = periods[index]!;
    if (!isObject(source)) {
      throw new InvalidCharge(`charging_periods[${index}]`, 'a period expected');
    }
    const startMs = readStart(source, index);
    if (index > 0 && startMs < stretches[index - 1]!.startMs) ordered = false;
    stretches[index] = {
      index,
      source,
      startMs,
      endMs: Number.NaN,
      tariff: undefined,
      energySoFarWh: Decimal.zero,
      energyWh: undefined,
      chargingS: undefined,
      parkingS: undefined,
      reservationS: undefined,
    };
  }
  if (ordered) return stretches;
  notes.push({ code: 'periods-reordered' });
  return stretches.sort((a, b) => a.startMs - b.startMs);
}

function readStart(period: ChargingPeriod, index: number): number {
  try {
    return instant(period.start_date_time);
  } catch {
    const path = `charging_periods[${index}].start_date_time`;
    throw new InvalidCharge(path, 'a date-time in UTC expected');
  }
}

function read(text: string, path: string): number {
  try {
    return instant(text);
  } catch {
    throw new InvalidCharge(path, 'a date-time in UTC expected');
  }
}

// CDR-19: how a CDR says that it does not know; its text writes an epoch that RFC 3339 has not.
const UNKNOWN = /^1970-0?1-0?1T00:00:00(?:\.0+)?(?:Z|\+00:00)?$/;
const isUnknown = (text: unknown) =>
  typeof text === 'string' && text.startsWith('1970') && UNKNOWN.test(text);

function knownInstant(text: string, path: string, notes: Note[]): number | undefined {
  if (!isUnknown(text)) return read(text, path);
  notes.push({ code: path === 'start_date_time' ? 'start-unknown' : 'end-unknown' });
  return undefined;
}

/** Which of the charge's tariffs prices a period. */
class TariffChoice {
  private readonly tariffs: readonly Tariff[];
  private readonly atMs: number;
  private readonly policy: Policy;
  private readonly notes: Note[];
  private compiled: readonly CompiledTariff[] | undefined;

  constructor(tariffs: readonly Tariff[], atMs: number, policy: Policy, notes: Note[]) {
    this.tariffs = tariffs;
    this.atMs = atMs;
    this.policy = policy;
    this.notes = notes;
  }

  choose(stretches: readonly Stretch[]): void {
    let named = false;
    for (let i = 0; i < stretches.length; i++) {
      if (stretches[i]!.source.tariff_id != null) named = true;
    }
    const byName = named && this.policy.periodTariff === 'named';
    const valid = byName ? undefined : this.compile(this.firstValid());
    for (let i = 0; i < stretches.length; i++) {
      const tariff = byName ? this.named(stretches[i]!) : undefined;
      stretches[i]!.tariff = valid ?? (tariff && this.compile(tariff));
    }
  }

  private compile(tariff: Tariff): CompiledTariff {
    const known = this.compiled?.find(({ source }) => source === tariff);
    if (known) return known;
    const compiled = this.read(tariff);
    this.compiled = this.compiled ? [...this.compiled, compiled] : [compiled];
    return compiled;
  }

  private read(tariff: Tariff): CompiledTariff {
    try {
      return compile(tariff);
    } catch (error) {
      if (!(error instanceof InvalidTariff)) throw error;
      throw this.placed(error, tariff);
    }
  }

  /** Ids compare without case (CiString); of two versions, the one valid at the start. */
  private named({ source, index }: Stretch): Tariff | undefined {
    const id = source.tariff_id;
    if (id == null) {
      if (this.policy.namelessPeriod === 'first-valid') return this.firstValid();
      this.notes.push({ code: 'period-names-no-tariff', period: index });
      return undefined;
    }
    const only = this.tariffs.length === 1 ? this.tariffs[0]! : undefined;
    if (only?.id === id) return only;
    const same = this.tariffs.filter((one) => isSameId(one.id, id));
    if (same.length > 0) return same.find((one) => this.isValid(one)) ?? same[0];
    this.notes.push({ code: 'period-names-unlisted-tariff', period: index });
    return only;
  }

  private isValid(tariff: Tariff): boolean {
    try {
      return isValidAt(tariff, this.atMs);
    } catch (error) {
      if (!(error instanceof InvalidTariff)) throw error;
      throw this.placed(error, tariff);
    }
  }

  private placed({ path, rule }: InvalidTariff, tariff: Tariff): InvalidTariff {
    return new InvalidTariff(`tariffs[${this.tariffs.indexOf(tariff)}].${path}`, rule);
  }

  private firstValid(): Tariff {
    for (let i = 0; i < this.tariffs.length; i++) {
      if (this.isValid(this.tariffs[i]!)) return this.tariffs[i]!;
    }
    const code = 'tariff-outside-its-validity';
    if (!this.notes.some((note) => note.code === code)) this.notes.push({ code });
    return this.tariffs[0]!;
  }
}

/** Ids are CiStrings; a charge that nobody validated may hold anything. */
function isSameId(one: unknown, other: unknown): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return one === other;
  return one.toLowerCase() === other.toLowerCase();
}

/** Tariff.start_date_time inclusive, end_date_time exclusive. */
export function isValidAt(tariff: Tariff, atMs: number): boolean {
  const { start_date_time: from, end_date_time: to } = tariff;
  return (
    (from == null || atMs >= readLimit(from, 'start_date_time')) &&
    (to == null || atMs < readLimit(to, 'end_date_time'))
  );
}

function readLimit(text: string, path: string): number {
  try {
    return instant(text);
  } catch {
    throw new InvalidTariff(path, 'a date-time in UTC expected');
  }
}
