import { type Decimal, decimal, digitsOf } from '#money';
import type { Cdr, Price, Tariff } from '#ocpi';
import { Amount, type Cost, InvalidCharge, InvalidTariff, type NoteCode, type Priced, spanningPeriods } from '#pricing';
import { instant, isTimeZone, zonesTurning } from '#time';
import { cdrSplit, type Part, partsOf, priceCdr, type PricedCdr } from './amounts.ts';
import { type Figures, type Finding, type FindingCode, found } from './finding.ts';
import type { PricingNote } from './pricing-note.ts';

/** IANA zone of the Location as we have it, or why it is not known. */
export type KnownZone = { readonly name: string } | { readonly unknown: string };

export interface ReviewedPrice {
  readonly findings: readonly Finding[];
  /** Absent where it cannot be priced. */
  readonly pricing?: PricingNote;
}

/** What a CDR charges against its own tariffs and periods, in the zone of its Location. */
export function reviewPrice(cdr: Cdr, timeZone: KnownZone): ReviewedPrice {
  if (isFree(cdr)) return { findings: [] };
  const priced = pricedIn(cdr, timeZone);
  if ('code' in priced) return { findings: [priced] };
  const noted = priced.priced.notes.flatMap(({ code, period }) => {
    const [as, text] = NOTED[code] ?? [];
    return as === undefined ? [] : found(as, `${placeOf(cdr, code, period)} ${text}`);
  });
  return { findings: [...noted, ...amountFindings(cdr, priced, timeZone)], pricing: priced.pricing };
}

/** CDR-06: where nothing is asked, no tariff may have been relevant. */
function isFree({ tariffs = [], total_cost: { excl_vat, incl_vat = 0 } }: Cdr): boolean {
  return tariffs.length === 0 && excl_vat === 0 && incl_vat === 0;
}

export const TOO_MANY_DIGITS = 'its price has more digits than a CDR can say: look at its tariffs and volumes';

/** Prices it, or finds why it cannot be. `splitAnew`: by other tariffs than it was metered by. */
export function pricedIn(cdr: Cdr, timeZone: KnownZone, { splitAnew = false } = {}): PricedCdr | Finding {
  try {
    const zone = 'name' in timeZone ? timeZone.name : undefined;
    return priceCdr(splitAnew ? cdrSplit(cdr, zone) : cdr, zone);
  } catch (error) {
    if (error instanceof InvalidCharge && error.path === 'time_zone' && 'unknown' in timeZone) {
      const detail = `its tariff has local times, but ${timeZone.unknown}`;
      return { code: 'time-zone-unknown', detail };
    }
    if (error instanceof InvalidCharge || error instanceof InvalidTariff) {
      return { code: 'not-priceable', detail: error.message };
    }
    if (error instanceof RangeError) return { code: 'not-priceable', detail: TOO_MANY_DIGITS };
    throw error;
  }
}

/** Remarks of the pricing that say something of the sender. */
const NOTED: Partial<Record<NoteCode, readonly [FindingCode, string]>> = {
  'period-outside-session': ['period-outside-session', 'lies outside the session'],
  'time-differs-from-timestamps': [
    'time-differs-from-timestamps',
    'has another duration than its timestamps',
  ],
  'tariff-in-another-currency': [
    'tariff-in-another-currency',
    'is priced by a tariff in another currency',
  ],
  'currency-unknown': ['currency-unknown', 'is not of ISO 4217'],
  'period-names-unlisted-tariff': [
    'tariff-not-listed',
    'names a tariff that is not among its tariffs',
  ],
  'tariff-outside-its-validity': [
    'tariff-outside-its-validity',
    'is priced by a tariff that was not valid at its start',
  ],
};

function placeOf(cdr: Cdr, code: NoteCode, period: number | undefined): string {
  if (period !== undefined) return `charging_periods[${period}]`;
  return code === 'currency-unknown' ? cdr.currency : 'the charge';
}

function amountFindings(cdr: Cdr, { priced }: PricedCdr, timeZone: KnownZone): Finding[] {
  const wrong = totalDifference(cdr, priced);
  if (wrong === undefined) return [...spanFindings(cdr, priced, timeZone), ...splitFindings(cdr, priced)];
  const elsewhere = 'name' in timeZone ? zoneOfTotal(cdr, timeZone.name) : undefined;
  if (!elsewhere) return [...found('price-differs', `total_cost ${wrong.said}`, { field: 'total_cost', ...wrong.figures }), ...splitFindings(cdr, priced)];
  // The arithmetic is right: its parts are those of the zone that it was reckoned in.
  const { id } = cdr.cdr_location;
  const zone = (timeZone as { name: string }).name;
  const detail = `total_cost is what its tariff comes to in ${elsewhere.zone}; in ${zone}, the zone of Location ${id}, it ${wrong.said}`;
  return [...found('time-zone-differs', detail, { told: elsewhere.zone, due: zone }), ...splitFindings(cdr, elsewhere.priced)];
}

/**
 * UTC first, then whole hours beside it: what partners reckon in who do not know the Location's; and
 * the zones of half hours, with their summers, that many people live in.
 */
const WHOLE_HOURS = Array.from({ length: 14 }, (_, n) => [`Etc/GMT+${n + 1}`, `Etc/GMT-${n + 1}`]).flat();
const HALF_HOURS = ['America/St_Johns', 'Asia/Kolkata', 'Australia/Adelaide'];
const ZONES = ['UTC', ...WHOLE_HOURS, ...HALF_HOURS].filter(isTimeZone);

/** Longer ones see so many clocks being set that some zone fits whatever was charged. */
const TURNS_WITHIN_MS = 31 * 86_400_000;

/** Over a night in which clocks are set, what is right in a zone is so at no hour beside UTC. */
function zonesTurningWithin({ start_date_time, end_date_time, charging_periods: [first] }: Cdr): string[] {
  const endMs = instant(end_date_time);
  const startMs = Math.min(instant(start_date_time), first ? instant(first.start_date_time) : Infinity);
  return endMs - startMs <= TURNS_WITHIN_MS ? zonesTurning(startMs, endMs) : [];
}

/** A zone in which the total is right, where the tariff has local times at all. */
function zoneOfTotal(cdr: Cdr, not: string): { zone: string; priced: Priced } | undefined {
  if (!hasLocalTimes(cdr)) return undefined;
  for (const zone of [...ZONES, ...zonesTurningWithin(cdr)]) {
    if (zone === not) continue;
    const there = pricedIn(cdr, { name: zone });
    if ('code' in there || totalDifference(cdr, there.priced) !== undefined) continue;
    return { zone: spokenZone(zone), priced: there.priced };
  }
  return undefined;
}

function hasLocalTimes({ tariffs }: Cdr): boolean {
  return (tariffs ?? []).some(({ elements }) =>
    elements.some(({ restrictions: r }) => r && (r.start_time ?? r.end_time ?? r.start_date ?? r.end_date ?? r.day_of_week) != null));
}

/** The signs of `Etc/GMT+8` are those of POSIX: it is eight hours behind. */
function spokenZone(zone: string): string {
  const match = /^Etc\/GMT([+-])(\d+)$/.exec(zone);
  return match ? `UTC${match[1] === '+' ? '-' : '+'}${match[2]}` : zone;
}

function totalDifference({ total_cost, credit, currency }: Cdr, { unrounded }: Priced): Difference | undefined {
  return difference(total_cost, unrounded, { currency, credit: credit === true });
}

/** CDR-07: periods that should have been cut where their price changes are charged as they began; what they come to else, were all to run evenly. */
function spanFindings(cdr: Cdr, priced: Priced, timeZone: KnownZone): Finding[] {
  const isRestricted = ({ elements }: Tariff) => elements.some(({ restrictions }) => restrictions);
  if (cdr.credit === true || !cdr.tariffs?.some(isRestricted)) return [];
  const [spanning] = spanningPeriods(priced);
  const split = spanning && pricedIn(cdr, timeZone, { splitAnew: true });
  const wrong = !split || 'code' in split ? undefined : totalDifference(cdr, split.priced);
  if (!wrong || isWithinSampling(wrong.figures)) return [];
  const detail = `the price changes within charging_periods[${spanning!.period}], which is charged as it began; had all run evenly, total_cost ${wrong.said}`;
  return found('period-spans-price-change', detail, { field: 'total_cost', ...wrong.figures });
}

/** Who reads a meter once a minute cuts a period so much late: a cent, or a fiftieth of the price, is no matter. */
function isWithinSampling({ told = '0', due = '0', currency = '' }: Figures): boolean {
  const off = decimal(told).sub(decimal(due)).abs();
  return off.compare(decimal(1).shift(-digitsOf(currency))) <= 0 || off.mul(decimal(50)).compare(decimal(due).abs()) <= 0;
}

const NOTHING: Cost = { excl: Amount.zero, incl: undefined };

function splitFindings(cdr: Cdr, priced: Priced): Finding[] {
  return Object.entries(partsOf(priced)).flatMap(([part, exact = NOTHING]) => {
    const told = cdr[part as Part];
    if (told === undefined) return [];
    const wrong = difference(told, exact, { currency: cdr.currency, credit: false });
    return wrong === undefined ? [] : found('split-differs', `${part} ${wrong.said}`, { field: part, ...wrong.figures });
  });
}

/** TYP-04: a number of OCPI has four decimals; what else is there is dust of binary arithmetic. */
const DECIMALS_MAX = 4;

export interface Difference {
  readonly said: string;
  readonly figures: Figures;
}

/**
 * Undefined when the amounts told are the exact ones, rounded to the digits that they are told
 * with.
 */
function difference(
  told: Price,
  exact: Cost,
  { currency, credit }: { readonly currency: string; readonly credit: boolean },
): Difference | undefined {
  const compare = (amount: Amount, like: number, vat: 'excl' | 'incl'): Difference | undefined => {
    const value = decimal(like);
    const digits = Math.max(digitsOf(currency), Math.min(decimalsOf(value), DECIMALS_MAX));
    const rounded = amount.roundTo(digits, 'half-away-from-zero');
    const told = value.roundTo(digits, 'half-away-from-zero');
    // CDR-04: a Credit CDR says the opposite.
    const is = credit ? told.neg() : told;
    if (is.equals(rounded)) return undefined;
    const expected = credit ? rounded.neg() : rounded;
    return {
      said: `is ${like} ${currency} ${vat}. VAT, expected ${expected}: ${tooMuch(is.sub(rounded), currency)}`,
      figures: { told: value.toString(), due: expected.toString(), currency, vat },
    };
  };
  return (
    compare(exact.excl, told.excl_vat, 'excl') ??
    (told.incl_vat === undefined
      ? undefined
      : compare(exact.incl ?? exact.excl, told.incl_vat, 'incl'))
  );
}

/** "1.56 CAD too much". */
export function tooMuch(by: Decimal, currency: string): string {
  return `${by.abs()} ${currency} too ${by.isNegative() ? 'little' : 'much'}`;
}

function decimalsOf(value: Decimal): number {
  return value.toString().split('.')[1]?.length ?? 0;
}
