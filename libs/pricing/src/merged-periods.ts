import { decimal } from '#money';
import type { ExplainedDimension, ExplainedPeriod } from './explain.ts';
import type { TextPrice } from './totals.ts';

/**
 * Neighbouring periods that are priced alike as one, for people: a meter reading a minute makes many.
 * A fee that only the first of them has stays with it.
 */
export function mergedPeriods(periods: readonly ExplainedPeriod[]): ExplainedPeriod[] {
  const merged: ExplainedPeriod[] = [];
  for (const period of periods) {
    const before = merged.at(-1);
    if (before && isAlike(before, period)) merged[merged.length - 1] = together(before, period);
    else merged.push(period);
  }
  return merged;
}

function isAlike(before: ExplainedPeriod, after: ExplainedPeriod): boolean {
  if (before.end !== after.start || before.tariffId !== after.tariffId) return false;
  const own = before.dimensions.filter(({ dimension }) => dimension !== 'FLAT');
  return (
    own.length === after.dimensions.length &&
    own.every((one) => after.dimensions.some((other) => how(one) === how(other)))
  );
}

/** All but how much. */
function how({ dimension, reservation, applied, passedOver }: ExplainedDimension): string {
  return JSON.stringify([dimension, reservation, applied, passedOver]);
}

function together(before: ExplainedPeriod, after: ExplainedPeriod): ExplainedPeriod {
  const dimensions = before.dimensions.map((one) => {
    const other = after.dimensions.find((each) => how(each) === how(one));
    if (!other) return one;
    const cost = one.cost && other.cost && sumOf(one.cost, other.cost);
    return { ...one, volume: added(one.volume, other.volume), ...(cost ? { cost } : {}) };
  });
  const { localEnd: _end, ...first } = before;
  const { end, localEnd } = after;
  return { ...first, end, ...(localEnd === undefined ? {} : { localEnd }), dimensions };
}

function sumOf(a: TextPrice, b: TextPrice): TextPrice {
  const excl_vat = added(a.excl_vat, b.excl_vat);
  if (a.incl_vat === undefined && b.incl_vat === undefined) return { excl_vat };
  return { excl_vat, incl_vat: added(a.incl_vat ?? a.excl_vat, b.incl_vat ?? b.excl_vat) };
}

const added = (a: string, b: string): string => decimal(a).add(decimal(b)).toString();
