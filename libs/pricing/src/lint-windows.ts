import type { CompiledTariff, Component } from './compile.ts';
import { durationText } from './duration-text.ts';
import { type Finding, finding, pointer } from './lint-finding.ts';
import type { Reach } from './lint-reach.ts';
import { type Effort, type Situation, Space, weekdayAt } from './lint-space.ts';
import { defaultPolicy } from './policy.ts';
import { clockText, dateText, secondsOf } from './reason.ts';
import { wallDay, wallMinute, WEEKDAYS } from './restriction.ts';
import type { TariffDimension } from './shapes.ts';

const PRICED: readonly TariffDimension[] = ['ENERGY', 'TIME', 'PARKING_TIME'];
const NAMES: Readonly<Record<TariffDimension, string>> = {
  ENERGY: 'energy',
  TIME: 'charging time',
  PARKING_TIME: 'parking time',
  FLAT: 'the fee',
};

/** Moments at which a priced dimension has no price, windows that cross. Throws TooIntricate. */
export function lintWindows(
  tariff: CompiledTariff,
  reaches: readonly Reach[],
  effort: Effort,
): Finding[] {
  return [
    ...PRICED.flatMap((dimension) => gap(tariff, dimension, effort)),
    ...overlaps(tariff, reaches, effort),
  ];
}

function gap(tariff: CompiledTariff, dimension: TariffDimension, effort: Effort): Finding[] {
  const components = tariff.components[dimension].filter(({ phase }) => phase === 'session');
  if (!components.some(({ price }) => !price.isZero())) return [];
  const space = new Space(components, defaultPolicy, effort);
  const found = space.find(0n, space.all, { moment: true });
  if (!found) return [];
  const when = situationText(space, found, uncovered(space, found));
  const message =
    `No element prices ${NAMES[dimension]} ${when}: it is free then ` +
    '(OCPI 2.2.1 mod_tariffs advises a default element at the end)';
  const advice =
    `Add a last element without restrictions that prices ${dimension}; ` +
    'with price 0 where it is meant to be free';
  const severity = dimension === 'PARKING_TIME' ? 'info' : 'warning';
  return [finding('gap-without-price', '/elements', message, advice, severity)];
}

/** The clocks at which nothing applies, all else being as in that situation. */
function uncovered(space: Space, { energy, elapsed, current, power }: Situation): number[] {
  let others = space.holdsAt('energy', energy) & space.holdsAt('elapsed', elapsed);
  others &= space.holdsAt('current', current) & space.holdsAt('power', power);
  return space.clock.filter((cell) => (cell.holds & others) === 0n).map(({ value }) => value);
}

/** "on MONDAY to FRIDAY 18:00–24:00, once the session has 10 kWh". */
function situationText(space: Space, at: Situation, clocks: readonly number[]): string {
  const parts: string[] = [];
  if (space.looksAt('clock')) parts.push(windowsText(space, clocks));
  if (space.looksAt('energy')) parts.push(`at ${at.energy.shift(-3)} kWh`);
  if (space.looksAt('elapsed')) parts.push(`${durationText(secondsOf(at.elapsed))} after the start`);
  if (space.looksAt('power')) parts.push(`at ${at.power?.[0] ?? 0} kW`);
  if (space.looksAt('current')) parts.push(`at ${at.current?.[0] ?? 0} A`);
  return parts.join(', ');
}

const SHOWN = 3;

/** Windows of each weekday; where dates matter, those of the first days that are concerned. */
function windowsText(space: Space, clocks: readonly number[]): string {
  const dated = space.components.some(({ checks }) =>
    checks.some(({ kind }) => kind === 'start_date' || kind === 'end_date'),
  );
  const minutes = [...new Set(space.clock.map(({ value }) => wallMinute(value)))].sort(
    (a, b) => a - b,
  );
  const byDay = new Map<number, number[]>();
  for (const clock of clocks) {
    const day = wallDay(clock);
    byDay.set(day, [...(byDay.get(day) ?? []), wallMinute(clock)]);
  }
  const byWindows = new Map<string, number[]>();
  for (const [day, from] of byDay) {
    const text = merged(from, minutes);
    byWindows.set(text, [...(byWindows.get(text) ?? []), day]);
  }
  const texts = [...byWindows].map(([windows, days]) => {
    const names = dated
      ? `on ${dateText(days[0]!)}${days.length > 1 ? ' and other days' : ''}`
      : daysText(days);
    return `${names} ${windows}`.trim();
  });
  const more = texts.length > SHOWN ? ` and ${texts.length - SHOWN} more` : '';
  return `${texts.slice(0, SHOWN).join('; ')}${more}`;
}

/** "18:00–24:00" of the bounds from which on nothing applies; empty for a whole day. */
function merged(from: readonly number[], bounds: readonly number[]): string {
  const windows: [number, number][] = [];
  for (const minute of from) {
    const until = bounds.find((bound) => bound > minute) ?? 1440;
    const last = windows.at(-1);
    if (last && last[1] === minute) last[1] = until;
    else windows.push([minute, until]);
  }
  if (windows.length === 1 && windows[0]![0] === 0 && windows[0]![1] === 1440) return '';
  return windows.map(([a, b]) => `${clockText(a)}–${clockText(b)}`).join(' and ');
}

function daysText(days: readonly number[]): string {
  const places = days.map((day) => weekdayAt(day * 86_400_000) - 1).sort((a, b) => a - b);
  if (places.length === 7) return 'every day';
  return `on ${places.map((place) => WEEKDAYS[place]).join(', ')}`;
}

/** Two elements with different prices whose windows overlap in part: their order decides. */
function overlaps(tariff: CompiledTariff, reaches: readonly Reach[], effort: Effort): Finding[] {
  const used = new Set(reaches.filter(({ never }) => !never).map(({ component }) => component));
  const found: Finding[] = [];
  const seen = new Set<string>();
  for (const dimension of PRICED) {
    const components = tariff.components[dimension].filter(
      (one) => one.phase === 'session' && used.has(one) && hasWindow(one),
    );
    if (components.length < 2) continue;
    const space = new Space(components, defaultPolicy, effort);
    for (let b = 1; b < components.length; b++) {
      effort.spend(b * space.clock.length);
      for (let a = 0; a < b; a++) {
        const [first, second] = [components[a]!, components[b]!];
        const key = `${first.element} ${second.element}`;
        if (seen.has(key) || isSamePrice(first, second) || !cross(space, a, b)) continue;
        const at = space.find((1n << BigInt(a)) | (1n << BigInt(b)), 0n, { moment: true });
        if (!at) continue;
        seen.add(key);
        found.push(overlap(first, second, at));
      }
    }
  }
  return found;
}

function overlap(first: Component, second: Component, { clock }: Situation): Finding {
  const day = WEEKDAYS[weekdayAt(clock) - 1];
  const message =
    `Its window overlaps that of element ${first.element} with another price, ` +
    `as on ${day} at ${clockText(wallMinute(clock))}: there element ${first.element} applies, ` +
    'because it comes first';
  const advice = 'Let the windows meet without overlapping, or put the one that is to win first';
  return finding('overlapping-windows', `${pointer(second.element)}/restrictions`, message, advice);
}

function hasWindow({ checks }: Component): boolean {
  return checks.some(({ kind }) => kind === 'time' || kind === 'day_of_week' || isDate(kind));
}

function isDate(kind: string): boolean {
  return kind === 'start_date' || kind === 'end_date';
}

function isSamePrice(a: Component, b: Component): boolean {
  const vat = (one: Component) => one.vat?.toString();
  return a.price.equals(b.price) && vat(a) === vat(b);
}

/** Neither window lies within the other, and they meet. */
function cross({ clock }: Space, a: number, b: number): boolean {
  const [first, second] = [1n << BigInt(a), 1n << BigInt(b)];
  const some = (wanted: bigint, unwanted: bigint) =>
    clock.some(({ holds }) => (holds & wanted) === wanted && (holds & unwanted) === 0n);
  return some(first | second, 0n) && some(first, second) && some(second, first);
}
