import { type Decimal, decimal, isCurrency, minorUnits, sum } from '#money';
import { type Cdr, type Party, partyText, type Price, sameParty } from '#ocpi';
import {
  Amount,
  type Cost,
  InvalidCharge,
  InvalidTariff,
  type NoteCode,
  type Priced,
} from '#pricing';
import { instant } from '#time';
import { type Part, partsOf, priceCdr } from './amounts.ts';
import type { Finding, FindingCode } from './finding.ts';
import type { PricingNote } from './pricing-note.ts';

export interface ReviewOptions {
  /** IANA zone of the Location as we have it, or why it is not known. */
  readonly timeZone: { readonly name: string } | { readonly unknown: string };
  readonly ownParty: Party;
  /** Platform time, epoch ms. */
  readonly nowMs: number;
}

export interface ReviewedCdr {
  readonly findings: readonly Finding[];
  /** Absent where it cannot be priced. */
  readonly pricing?: PricingNote;
}

/** Clocks of partners are off by so much without meaning anything. */
const CLOCK_SLACK_MS = 5 * 60_000;

/**
 * Reads a received CDR with a critical eye: what it charges is computed again from its own tariffs
 * and periods. What is found is recorded with it, and never keeps it from being recorded.
 */
export function review(cdr: Cdr, options: ReviewOptions): ReviewedCdr {
  const { findings, pricing } = priceFindings(cdr, options);
  return {
    findings: [
      ...ownerFindings(cdr, options),
      ...signFindings(cdr),
      ...volumeFindings(cdr),
      ...timeFindings(cdr, options),
      ...findings,
    ],
    ...(pricing === undefined ? {} : { pricing }),
  };
}

function ownerFindings({ cdr_token }: Cdr, { ownParty }: ReviewOptions): Finding[] {
  if (sameParty(cdr_token, ownParty)) return [];
  return found(
    'token-of-another-party',
    `the token belongs to ${partyText(cdr_token)}, we are ${partyText(ownParty)}`,
  );
}

function signFindings({ credit, total_cost: { excl_vat }, currency }: Cdr): Finding[] {
  const total = `total_cost is ${excl_vat} ${currency}`;
  if (credit && excl_vat > 0)
    return found('credit-total-not-negative', `${total}, a Credit CDR negates it`);
  if (!credit && excl_vat < 0)
    return found('negative-total', `${total} in a CDR that is no Credit CDR`);
  return [];
}

function volumeFindings({ charging_periods, total_energy }: Cdr): Finding[] {
  const volumes = charging_periods.flatMap(({ dimensions }) =>
    dimensions.filter(({ type }) => type === 'ENERGY').map(({ volume }) => decimal(volume)),
  );
  const inPeriods = sum(volumes);
  const slack = decimal('0.001').mul(decimal(volumes.length + 1));
  if (inPeriods.sub(decimal(total_energy)).abs().compare(slack) <= 0) return [];
  return found(
    'energy-differs-from-periods',
    `total_energy is ${total_energy} kWh, the periods hold ${inPeriods} kWh`,
  );
}

function timeFindings(cdr: Cdr, { nowMs }: ReviewOptions): Finding[] {
  const startMs = instant(cdr.start_date_time);
  const endMs = instant(cdr.end_date_time);
  if (endMs < startMs)
    return found(
      'ends-before-it-starts',
      `it ends at ${cdr.end_date_time}, before ${cdr.start_date_time}`,
    );
  const late = [cdr.end_date_time, cdr.last_updated].find(
    (time) => instant(time) > nowMs + CLOCK_SLACK_MS,
  );
  const hours = decimal(endMs - startMs).divide(decimal(3_600_000), 6, 'half-away-from-zero');
  const told = decimal(cdr.total_time);
  const isOff = told.sub(hours).abs().compare(decimal('0.01')) > 0;
  return [
    ...(late === undefined ? [] : found('time-in-the-future', `${late} is yet to come`)),
    ...(isOff
      ? found(
          'time-differs-from-timestamps',
          `total_time is ${told} h, from start to end it took ${hours} h`,
        )
      : []),
  ];
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

function priceFindings(cdr: Cdr, { timeZone }: ReviewOptions): ReviewedCdr {
  try {
    const { priced, pricing } = priceCdr(cdr, 'name' in timeZone ? timeZone.name : undefined);
    const noted = priced.notes.flatMap(({ code, period }) => {
      const [as, text] = NOTED[code] ?? [];
      return as === undefined ? [] : found(as, `${placeOf(cdr, code, period)} ${text}`);
    });
    return {
      findings: [...noted, ...totalFindings(cdr, priced), ...splitFindings(cdr, priced)],
      pricing,
    };
  } catch (error) {
    if (error instanceof InvalidCharge && error.path === 'time_zone' && 'unknown' in timeZone) {
      return {
        findings: found('time-zone-unknown', `its tariff has local times, but ${timeZone.unknown}`),
      };
    }
    if (error instanceof InvalidCharge || error instanceof InvalidTariff) {
      return { findings: found('not-priceable', error.message) };
    }
    if (error instanceof RangeError) {
      const detail = 'its price has more digits than a CDR can say: look at its tariffs and volumes';
      return { findings: found('not-priceable', detail) };
    }
    throw error;
  }
}

function placeOf(cdr: Cdr, code: NoteCode, period: number | undefined): string {
  if (period !== undefined) return `charging_periods[${period}]`;
  return code === 'currency-unknown' ? cdr.currency : 'the charge';
}

function totalFindings({ total_cost, credit, currency }: Cdr, { unrounded }: Priced): Finding[] {
  const wrong = difference(total_cost, unrounded, { currency, credit: credit === true });
  return wrong === undefined ? [] : found('price-differs', `total_cost ${wrong}`);
}

const NOTHING: Cost = { excl: Amount.zero, incl: undefined };

function splitFindings(cdr: Cdr, priced: Priced): Finding[] {
  return Object.entries(partsOf(priced)).flatMap(([part, exact = NOTHING]) => {
    const told = cdr[part as Part];
    if (told === undefined) return [];
    // Some partners negate the parts of a Credit CDR too: then only the amount is compared.
    const credit = cdr.credit === true && told.excl_vat < 0;
    const wrong = difference(told, exact, { currency: cdr.currency, credit });
    return wrong === undefined ? [] : found('split-differs', `${part} ${wrong}`);
  });
}

/**
 * Undefined when the amounts told are the exact ones, rounded to the digits that they are told
 * with.
 */
function difference(
  told: Price,
  exact: Cost,
  { currency, credit }: { readonly currency: string; readonly credit: boolean },
): string | undefined {
  const expected = (amount: Amount, like: number) => {
    const value = decimal(like);
    const rounded = amount.roundTo(
      Math.max(digitsOf(currency), decimalsOf(value)),
      'half-away-from-zero',
    );
    return { value: credit ? value.abs() : value, rounded };
  };
  const excl = expected(exact.excl, told.excl_vat);
  if (!excl.value.equals(excl.rounded)) {
    return `is ${told.excl_vat} ${currency} excl. VAT, expected ${credit ? '-' : ''}${excl.rounded}`;
  }
  if (told.incl_vat === undefined) return undefined;
  const incl = expected(exact.incl ?? exact.excl, told.incl_vat);
  if (incl.value.equals(incl.rounded)) return undefined;
  return `is ${told.incl_vat} ${currency} incl. VAT, expected ${credit ? '-' : ''}${incl.rounded}`;
}

function decimalsOf(value: Decimal): number {
  return value.toString().split('.')[1]?.length ?? 0;
}

function digitsOf(currency: string): number {
  return isCurrency(currency) ? minorUnits(currency) : 2;
}

function found(code: FindingCode, detail: string): Finding[] {
  return [{ code, detail }];
}
