import { Decimal, digitsOf, type Rounding } from '#money';
import { rfc3339, tzdbVersion, zone } from '#time';
import { Amount } from './amount.ts';
import type { Entry } from './bill.ts';
import type { Component } from './compile.ts';
import { EXPLAIN_WORDS, type ExplainLanguage } from './explain-words.ts';
import type { Note } from './notes.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import type { BoundKind, Priced } from './price.ts';
import { clockText, dateText, passedOver, type Reason } from './reason.ts';
import { wallDay, wallMinute } from './restriction.ts';
import type { TariffDimension } from './shapes.ts';
import { spanningPeriods } from './spanning.ts';
import type { Stretch } from './stretch.ts';
import { type TextPrice, textPrice, UNITS } from './totals.ts';

/** A price as a tree that a driver can follow; every amount exact, as decimal text. */
export interface Explanation {
  /** Of what is said in words. */
  readonly language: ExplainLanguage;
  readonly currency: string;
  readonly timeZone?: string;
  /** The tzdata release behind local times. */
  readonly tzdbVersion: string;
  readonly reservation?: 'used' | 'expired';
  readonly periods: readonly ExplainedPeriod[];
  /** What step_size added, once per session. */
  readonly steps: readonly ExplainedStep[];
  readonly subtotal: TextPrice;
  readonly bounds: readonly ExplainedBound[];
  readonly unrounded: TextPrice;
  readonly rounding: { readonly mode: Rounding; readonly decimals: number };
  readonly total: TextPrice;
  readonly notes: readonly Note[];
  /** The answers that differ from ours. */
  readonly policy: Partial<Policy>;
}

export interface ExplainedPeriod {
  /** Place in charging_periods. */
  readonly period: number;
  readonly start: string;
  readonly end: string;
  /** "2019-01-15 10:00", where the zone is known. */
  readonly localStart?: string;
  readonly localEnd?: string;
  readonly tariffId?: string;
  /** Before this period. */
  readonly energySoFarKwh: string;
  readonly dimensions: readonly ExplainedDimension[];
}

export interface ExplainedDimension {
  readonly dimension: TariffDimension;
  readonly reservation: boolean;
  /** Wh, s or count. */
  readonly volume: string;
  readonly unit: string;
  /** Places in the tariff's elements that came before, and why each did not apply. */
  readonly passedOver: readonly { readonly element: number; readonly reason: Reason }[];
  /** Absent = no element prices it. */
  readonly applied?: AppliedComponent;
  /** Of this period's volume, before step_size. */
  readonly cost?: TextPrice;
}

export interface AppliedComponent {
  /** Places in the tariff's elements and in the element's price_components. */
  readonly element: number;
  readonly component: number;
  readonly price: string;
  readonly vat?: string;
  readonly stepSize?: string;
}

export interface ExplainedStep {
  readonly dimension: TariffDimension;
  readonly reservation: boolean;
  readonly stepSize: string;
  /** The session's total and what it became. */
  readonly used: string;
  readonly billed: string;
  readonly unit: string;
  readonly surplusCost: TextPrice;
}

export interface ExplainedBound {
  readonly side: 'excl_vat' | 'incl_vat';
  readonly by: BoundKind;
  readonly from: string;
  readonly to: string;
  /** What it adds to the parts; below zero, what it takes off them. */
  readonly difference: string;
}

/** How a price came about. Pure: derived from the price, never calculated a second way. */
export function explain(priced: Priced, language: ExplainLanguage = 'en'): Explanation {
  const { currency, timeZone, reservation, course, unrounded, subtotal, total, policy } = priced;
  const { roundingDecimals } = policy;
  const uses = entriesByUse(priced);
  const currencyDecimals = digitsOf(currency);
  return {
    language,
    currency,
    ...(timeZone === undefined ? {} : { timeZone }),
    tzdbVersion,
    ...(reservation === undefined ? {} : { reservation }),
    periods: course.stretches.map((stretch, use) => explainPeriod({ priced, language }, stretch, uses[use] ?? [])),
    steps: explainSteps(priced),
    subtotal: textPrice(subtotal.excl, subtotal.incl),
    bounds: explainBounds(priced),
    unrounded: textPrice(unrounded.excl, unrounded.incl),
    rounding: {
      mode: policy.rounding,
      decimals: roundingDecimals === 'currency' ? currencyDecimals : roundingDecimals,
    },
    total: textPrice(total.excl, total.incl),
    notes: [...priced.notes, ...spanningPeriods(priced)],
    policy: changes(policy),
  };
}

/** A day of readings a minute has thousands of periods: looking through all entries for each would take minutes. */
function entriesByUse({ bill, course }: Priced): Entry[][] {
  const uses: Entry[][] = course.stretches.map(() => []);
  for (const entry of bill.entries) uses[entry.use]!.push(entry);
  return uses;
}

interface Explaining {
  readonly priced: Priced;
  readonly language: ExplainLanguage;
}

function explainPeriod(explaining: Explaining, stretch: Stretch, entries: readonly Entry[]): ExplainedPeriod {
  const { priced } = explaining;
  const local = (ms: number): string => {
    const wallMs = zone(priced.timeZone!).wallMs(ms);
    return `${dateText(wallDay(wallMs))} ${clockText(wallMinute(wallMs))}`;
  };
  const known = priced.timeZone !== undefined;
  return {
    period: stretch.index,
    start: rfc3339(stretch.startMs),
    end: rfc3339(stretch.endMs),
    ...(known ? { localStart: local(stretch.startMs), localEnd: local(stretch.endMs) } : {}),
    ...(stretch.tariff ? { tariffId: stretch.tariff.source.id } : {}),
    energySoFarKwh: stretch.energySoFarWh.shift(-3).toString(),
    dimensions: entries.map((entry) => explainEntry(explaining, stretch, entry)),
  };
}

function explainEntry({ priced, language }: Explaining, stretch: Stretch, entry: Entry): ExplainedDimension {
  const { dimension, phases, volume, moment, component } = entry;
  const tariff = stretch.tariff!;
  return {
    dimension,
    reservation: phases[0] !== 'session',
    volume: volume.toString(),
    unit: UNITS[dimension],
    passedOver: passedOver(dimension, phases, moment, {
      applied: component,
      components: tariff.components[dimension],
      elements: tariff.source.elements.length,
      policy: priced.policy,
      words: EXPLAIN_WORDS[language],
    }),
    ...(component ? { applied: applied(component), cost: costOf(component, volume, priced) } : {}),
  };
}

function applied(component: Component): AppliedComponent {
  return {
    element: component.element,
    component: component.index,
    price: component.price.toString(),
    ...(component.vat ? { vat: component.vat.toString() } : {}),
    ...(component.step ? { stepSize: component.step.toString() } : {}),
  };
}

function costOf(component: Component, volume: Decimal, { unrounded }: Priced): TextPrice {
  const excl = component.ninthsPerUnit.mul(volume);
  const incl = component.inclFactor ? excl.mul(component.inclFactor) : excl;
  return textPrice(new Amount(excl), unrounded.incl && new Amount(incl));
}

function explainSteps(priced: Priced): ExplainedStep[] {
  const steps: ExplainedStep[] = [];
  for (const { dimension, reservation, component, volume, billed } of priced.lines) {
    const surplus = billed.sub(volume);
    if (surplus.isZero()) continue;
    const alike = priced.lines.filter(
      (line) => line.dimension === dimension && line.reservation === reservation,
    );
    const perSession = priced.policy.stepScope === 'session';
    const used = perSession
      ? alike.reduce((sum, line) => sum.add(line.volume), Decimal.zero)
      : volume;
    steps.push({
      dimension,
      reservation,
      stepSize: String(component.step),
      used: used.toString(),
      billed: used.add(surplus).toString(),
      unit: UNITS[dimension],
      surplusCost: costOf(component, surplus, priced),
    });
  }
  return steps;
}

function explainBounds({ bounded, subtotal, unrounded }: Priced): ExplainedBound[] {
  const bounds: ExplainedBound[] = [];
  if (bounded.excl) {
    bounds.push({ side: 'excl_vat', by: bounded.excl, ...moved(subtotal.excl, unrounded.excl) });
  }
  if (bounded.incl) {
    bounds.push({ side: 'incl_vat', by: bounded.incl, ...moved(subtotal.incl!, unrounded.incl!) });
  }
  return bounds;
}

function moved(from: Amount, to: Amount): Pick<ExplainedBound, 'from' | 'to' | 'difference'> {
  return { from: from.toString(), to: to.toString(), difference: to.sub(from).toString() };
}

function changes(policy: Policy): Partial<Policy> {
  const entries = Object.entries(policy).filter(
    ([flag, answer]) => defaultPolicy[flag as keyof Policy] !== answer,
  );
  return Object.fromEntries(entries);
}
