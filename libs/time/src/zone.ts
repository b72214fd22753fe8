import packed from 'moment-timezone/data/packed/latest.json' with { type: 'json' };
import { civilFromDays } from './instant.ts';

/** The name is no IANA time zone of the data at hand. */
export class UnknownTimeZone extends Error {
  override readonly name = 'UnknownTimeZone';
  readonly timeZone: string;
  constructor(timeZone: string) {
    super(`unknown time zone: ${String(timeZone).slice(0, 60)}`);
    this.timeZone = timeZone;
  }
}

/** The release of the IANA time zone database behind every zone here, such as "2026f". */
export const tzdbVersion: string = packed.version;

/** What a clock on the wall of the zone shows. */
export interface LocalTime {
  readonly year: number;
  /** 1–12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 1 = Monday … 7 = Sunday */
  readonly weekday: number;
  readonly minuteOfDay: number;
}

const DAY_MS = 86_400_000;

/**
 * A time zone as its own table of transitions, so that what a price depends on is the recorded
 * tzdb release and not whatever the machine or the runtime knows. Local days and minutes are in
 * wall-clock time. The data ends with 2037: after that the last offset is kept.
 */
export class Zone {
  readonly name: string;
  /** Instants at which an offset ends, ascending, the last one Infinity. */
  readonly #untilMs: Float64Array;
  /** Local time − UTC before the until of the same index. */
  readonly #offsetMs: Float64Array;
  #last = 0;

  constructor(name: string, untilMs: Float64Array, offsetMs: Float64Array) {
    this.name = name;
    this.#untilMs = untilMs;
    this.#offsetMs = offsetMs;
  }

  /** Local time − UTC at this instant, in ms: −25,200,000 for UTC−7. */
  offsetMsAt(utcMs: number): number {
    return this.#offsetMs[this.#index(utcMs)]!;
  }

  /** The zone's wall clock at this instant. */
  local(utcMs: number): LocalTime {
    const wallMs = utcMs + this.offsetMsAt(utcMs);
    const days = Math.floor(wallMs / DAY_MS);
    const seconds = Math.floor((wallMs - days * DAY_MS) / 1000);
    const { year, month, day } = civilFromDays(days);
    const minuteOfDay = Math.floor(seconds / 60);
    const hour = Math.floor(minuteOfDay / 60);
    return {
      year,
      month,
      day,
      hour,
      minute: minuteOfDay - hour * 60,
      second: seconds - minuteOfDay * 60,
      weekday: weekdayOf(days),
      minuteOfDay,
    };
  }

  /** The wall clock as ms since its own 1970-01-01T00:00: cheaper than `local` to compare. */
  wallMs(utcMs: number): number {
    return utcMs + this.offsetMsAt(utcMs);
  }

  /** The first instant after this one at which the offset changes, or Infinity. */
  nextTransitionMs(utcMs: number): number {
    return this.#untilMs[this.#index(utcMs)]!;
  }

  /**
   * The first instant after this one at which the wall clock shows that minute of the day to the
   * millisecond. A minute that a transition jumps over is found on the next day that has it; one
   * that comes twice is found twice.
   */
  nextAtMinuteOfDay(utcMs: number, minuteOfDay: number): number {
    let from = utcMs;
    for (;;) {
      const index = this.#index(from);
      const wall = from + this.#offsetMs[index]!;
      let next = Math.floor(wall / DAY_MS) * DAY_MS + minuteOfDay * 60_000;
      if (next < wall || (next === wall && from === utcMs)) next += DAY_MS;
      const at = next - this.#offsetMs[index]!;
      const until = this.#untilMs[index]!;
      if (at < until) return at;
      from = until;
    }
  }

  #index(utcMs: number): number {
    const untilMs = this.#untilMs;
    const last = this.#last;
    if (utcMs < untilMs[last]! && (last === 0 || utcMs >= untilMs[last - 1]!)) return last;
    let low = 0;
    let high = untilMs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (utcMs < untilMs[middle]!) high = middle;
      else low = middle + 1;
    }
    return (this.#last = low);
  }
}

/** 1 = Monday … 7 = Sunday of the day that is so many days after 1970-01-01, a Thursday. */
export function weekdayOf(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

const zones = new Map<string, Zone>();
let rows: Map<string, string> | undefined;

/** The zone of an IANA name, links such as "Canada/Pacific" included. Throws UnknownTimeZone. */
export function zone(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  rows ??= readRows();
  const row = rows.get(name);
  if (row === undefined) throw new UnknownTimeZone(name);
  const unpacked = unpack(name, row);
  zones.set(name, unpacked);
  return unpacked;
}

export function isTimeZone(name: string): boolean {
  return zones.has(name) || (rows ??= readRows()).has(name);
}

/**
 * Zones whose clocks are set between two instants, the one with the most people first; one for all whose clocks are set
 * from the same offset to the same one at the same time.
 */
export function zonesTurning(fromMs: number, toMs: number): string[] {
  const found = new Map<string, { name: string; people: number }>();
  for (const row of packed.zones) {
    const [name = '', , , , , people = '0'] = row.split('|');
    const one = zone(name);
    const atMs = one.nextTransitionMs(fromMs);
    if (!(atMs <= toMs)) continue;
    const turn = [atMs, one.offsetMsAt(fromMs), one.offsetMsAt(atMs)].join(' ');
    const known = found.get(turn);
    if (!known || known.people < Number(people)) found.set(turn, { name, people: Number(people) });
  }
  return [...found.values()].toSorted((a, b) => b.people - a.people).map(({ name }) => name);
}

function readRows(): Map<string, string> {
  const found = new Map<string, string>();
  for (const row of packed.zones) found.set(row.slice(0, row.indexOf('|')), row);
  for (const link of packed.links) {
    const [target, alias] = link.split('|') as [string, string];
    found.set(alias, found.get(target)!);
  }
  return found;
}

/**
 * moment-timezone's row: name | abbreviations | offsets | which offset when | deltas | people.
 * Offsets are minutes west of Greenwich, deltas minutes since the transition before, in base 60.
 */
function unpack(name: string, row: string): Zone {
  const [, , offsets, order, deltas] = row.split('|') as [string, string, string, string, string?];
  const offsetMs = offsets.split(' ').map((text) => -Math.round(base60(text) * 60_000));
  const untils: number[] = [];
  let at = 0;
  for (const delta of deltas ? deltas.split(' ') : []) {
    at = Math.round(at + base60(delta) * 60_000);
    untils.push(at);
  }
  const steps = [...order].map((digit) => offsetMs[digitValue(digit.charCodeAt(0))]!);
  const ends = steps.map((_, i) => (i < steps.length - 1 ? untils[i]! : Infinity));
  return new Zone(name, Float64Array.from(ends), Float64Array.from(steps));
}

function digitValue(code: number): number {
  if (code > 96) return code - 87;
  return code > 64 ? code - 29 : code - 48;
}

function base60(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const [whole = '', fraction = ''] = text.slice(sign < 0 ? 1 : 0).split('.');
  let value = 0;
  for (const digit of whole) value = value * 60 + digitValue(digit.charCodeAt(0));
  let unit = 1;
  for (const digit of fraction) value += digitValue(digit.charCodeAt(0)) * (unit /= 60);
  return sign * value;
}
