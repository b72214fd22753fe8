import { instant, zone } from '#time';
import type { CompiledTariff, Component } from './compile.ts';
import { type Finding, finding, pointer } from './lint-finding.ts';
import { componentsOf } from './lint-prices.ts';
import type { Reach } from './lint-reach.ts';
import { type Effort, Space } from './lint-space.ts';
import { defaultPolicy } from './policy.ts';
import type { Tariff } from './shapes.ts';

/**
 * What Measurement Canada knows of an EVSE's meter: its type is approved, it runs on a temporary
 * dispensation, or neither.
 */
export const METER_STANDINGS = ['approved', 'dispensation', 'none'] as const;
export type MeterStanding = (typeof METER_STANDINGS)[number];

export interface EvseFacts {
  /** As people know it: its evse_id or uid. */
  readonly name: string;
  /** Absent = not known. */
  readonly meter?: MeterStanding;
}

/** Where nobody names them. */
export const UNNAMED: EvseFacts = { name: 'its EVSEs' };

export interface CanadaFacts {
  readonly evses: readonly EvseFacts[];
  /** RFC 3339; what is later than the end of 2029 already is wrong, not only going to be. */
  readonly now?: string;
  readonly timeZone?: string;
}

// Temporary dispensations end on 2030-01-01; a time price for electricity is allowed until the day
// before.
const LAST_DAY_OVER = '2030-01-01';

/** A kWh may be sold by an approved meter or under a dispensation, time until the end of 2029. */
export function lintCanada(
  tariff: CompiledTariff,
  reaches: readonly Reach[],
  facts: CanadaFacts,
  effort: Effort,
): Finding[] {
  const used = new Set(reaches.filter(({ never }) => !never).map(({ component }) => component));
  const priced = componentsOf(tariff).filter(
    (one) => one.phase === 'session' && used.has(one) && !one.price.isZero(),
  );
  const overMs = overAt(facts.timeZone);
  const goesOn = tariff.source.end_date_time == null || instant(tariff.source.end_date_time) > overMs;
  const late = goesOn ? priced.filter((one) => appliesIn2030(one, tariff, effort)) : [];
  const already = (one: Component) => beginsAfter(one, tariff.source, overMs, facts.now);
  return [
    ...priced
      .filter(({ dimension }) => dimension === 'ENERGY')
      .flatMap((one) => energy(one, facts, late.includes(one), already(one))),
    ...late.flatMap((one) => timeOrFee(one, late, already(one))),
  ];
}

function energy(
  component: Component,
  { evses }: CanadaFacts,
  isLate: boolean,
  already: boolean,
): Finding[] {
  const path = pointer(component.element, component.index);
  const of = (standing: MeterStanding | undefined) =>
    evses.filter(({ meter }) => meter === standing).map(({ name }) => name);
  const [without, dispensed, unknown] = [of('none'), of('dispensation'), of(undefined)];
  const found: Finding[] = [];
  if (without.length > 0) {
    const have = without.length > 1 || without[0] === UNNAMED.name ? 'have' : 'has';
    const message =
      `A price per kWh in Canada needs a meter approval or a temporary dispensation, and ` +
      `${named(without)} ${have} neither (Measurement Canada)`;
    const advice = 'Bill by time or a fee there, or have the meter approved first';
    found.push(finding('canada-kwh-without-approval', path, message, advice));
  }
  if (dispensed.length > 0 && isLate) {
    const message =
      `A price per kWh is allowed in Canada at ${named(dispensed)} by a temporary dispensation alone, ` +
      `and these end on ${LAST_DAY_OVER}`;
    const advice = `Let the tariff end by ${LAST_DAY_OVER} there, or have the meter approved first`;
    const severity = already ? 'error' : 'warning';
    found.push(finding('canada-dispensation-ends', path, message, advice, severity));
  }
  if (unknown.length > 0) {
    const message =
      'A price per kWh in Canada needs a meter approval or a temporary dispensation, and ' +
      `nothing is known of ${named(unknown)}`;
    found.push(
      finding(
        'canada-meter-unknown',
        path,
        message,
        'Say meter_standing (approved, dispensation or none) of the EVSE or of its Location',
      ),
    );
  }
  return found;
}

function timeOrFee(
  { dimension, element, index }: Component,
  late: readonly Component[],
  already: boolean,
): Finding[] {
  const path = pointer(element, index);
  const severity = already ? 'error' : 'warning';
  const advice =
    `Let it end by ${LAST_DAY_OVER} (end_date, end_date_time), ` + 'or price ENERGY instead';
  if (dimension === 'TIME') {
    const message =
      'Electricity is priced by time after 2029-12-31; in Canada it may be until then ' +
      '(Measurement Canada)';
    return [finding('canada-time-price-after-2029', path, message, advice, severity)];
  }
  const isAll = !late.some((one) => one.dimension === 'ENERGY' || one.dimension === 'TIME');
  if (dimension !== 'FLAT' || !isAll) return [];
  const message =
    'A fee is all that is paid for electricity after 2029-12-31; in Canada it may be until then ' +
    '(Measurement Canada)';
  return [finding('canada-flat-price-after-2029', path, message, advice, severity)];
}

/** When 2030 begins; without a zone, where Canada begins it last. */
function overAt(timeZone = 'America/Vancouver'): number {
  const utcMs = instant(`${LAST_DAY_OVER}T00:00:00Z`);
  return utcMs - zone(timeZone).offsetMsAt(utcMs);
}

/** Whether it is used in some charge from 2030 on: what comes before it may leave it no room there. */
function appliesIn2030(component: Component, { components }: CompiledTariff, effort: Effort): boolean {
  const { phase, dimension, checks } = component;
  const alike = components[dimension].filter((one) => one.phase === phase);
  const earlier = alike.slice(0, alike.indexOf(component));
  const from2030 = { kind: 'start_date', day: LAST_DAY_OVER_DAYS, wrapTo: 0 } as const;
  const space = new Space([...earlier, { checks: [...checks, from2030] }], defaultPolicy, effort);
  const wanted = 1n << BigInt(earlier.length);
  return space.find(wanted, wanted - 1n) !== undefined;
}

function beginsAfter(
  { checks }: Component,
  { start_date_time: start }: Tariff,
  overMs: number,
  now: string | undefined,
): boolean {
  if (start != null && instant(start) >= overMs) return true;
  if (now !== undefined && instant(now) >= overMs) return true;
  return checks.some((check) => check.kind === 'start_date' && check.day >= LAST_DAY_OVER_DAYS);
}

const LAST_DAY_OVER_DAYS = instant(`${LAST_DAY_OVER}T00:00:00Z`) / 86_400_000;

const SHOWN = 3;

function named(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}
