import { Decimal, decimal, sum } from '#money';
import { type Cdr, type Party, partyText, sameId, sameParty } from '#ocpi';
import { Amount } from '#pricing';
import { type SettledCdr, settledCdr, type Taxed, taxedOf, taxesOfPlace, vatRates } from '#settlement';
import { combinedRate } from '#taxes';
import { instant } from '#time';
import { type Finding, found } from './finding.ts';
import { asMeant, isNegativeBill, knownId, type Meant, namedOriginal, negatesMore, negatesTime } from './meant.ts';
import type { PricingNote } from './pricing-note.ts';
import { type KnownZone, pricedIn, reviewPrice } from './review-price.ts';
import { reviewSigned } from './review-signed.ts';
import { type PublishedTariff, reviewTariffs } from './review-tariff.ts';
import { type CreditedSoFar, creditSettled } from './taken-back.ts';

export interface ReviewOptions {
  readonly timeZone: KnownZone;
  /** What we hold of its tariffs. */
  readonly published: readonly PublishedTariff[];
  readonly ownParty: Party;
  /** Of the EVSE's meter, where it is known. */
  readonly meterKey?: string | undefined;
  /** Platform time, epoch ms. */
  readonly nowMs: number;
  /** The original of a credit that names none, where it can be told by the session. */
  readonly originalOfSession?: string | undefined;
  /** Of a credit, its original, where that is here. */
  readonly credited?: CreditedSoFar | undefined;
}

export interface ReviewedCdr {
  readonly findings: readonly Finding[];
  /** Absent where it cannot be priced. */
  readonly pricing?: PricingNote;
  /** Present for a credit that is not written as OCPI has it. */
  readonly meant?: Meant;
  /** As what it is taken for. */
  readonly settled: SettledCdr;
  /** How, to be noted beside it. */
  readonly taxed: Taxed;
}

/** Clocks of partners are off by so much without meaning anything. */
const CLOCK_SLACK_MS = 5 * 60_000;

/**
 * Reads a received CDR with a critical eye: what it charges is computed again from its own tariffs
 * and periods, and these are compared with what was published to us. What is found is recorded with
 * it, and never keeps it from being recorded.
 */
export function review(given: Cdr, options: ReviewOptions): ReviewedCdr {
  const { meant, findings: slips } = creditMeant(given, options);
  const cdr = asMeant(given, meant);
  const { findings, pricing } = reviewPrice(cdr, options.timeZone);
  const told = settledCdr(cdr);
  const back = told.credit && options.credited ? creditSettled(told, options.credited) : {};
  const settled = { ...told, ...back };
  return {
    settled,
    taxed: { ...taxedOf(settled), ...('energy_kwh' in back ? { energy_kwh: settled.energy_kwh } : {}) },
    findings: [
      ...ownerFindings(cdr, options),
      ...slips,
      ...volumeFindings(cdr),
      ...timeFindings(cdr, options),
      ...parkingFindings(cdr),
      ...findings,
      ...taxFindings(cdr, settled),
      ...reviewSigned(cdr, options.meterKey),
      ...reviewTariffs(cdr, options.published, options.timeZone),
    ],
    ...(pricing === undefined ? {} : { pricing }),
    ...(meant === undefined ? {} : { meant }),
  };
}

/** What is charged as tax is not what the place has: it is settled as charged, and disputable. */
function taxFindings(cdr: Cdr, { remarks }: SettledCdr): Finding[] {
  if (!remarks.includes('tax-differs-from-place')) return [];
  const place = taxesOfPlace(cdr) ?? [];
  const all = vatRates(cdr);
  const rates = all.filter((rate) => !decimal(rate).equals(combinedRate(place)));
  // What its amounts make of a rate that is right is a matter of the arithmetic.
  if (all.length > 0 && rates.length === 0) return [];
  const told = rates.map((rate) => `${rate} %`).join(' and ') || 'another amount';
  const due = place.map(({ code, rate }) => `${code} ${rate} %`).join(' and ');
  const { city, state = '' } = cdr.cdr_location;
  return found('tax-differs-from-place', `it charges ${told} of tax; ${`${city} ${state}`.trim()} has ${due}`, {
    ...(rates.length > 0 ? { told: rates.join(', ') } : {}),
    due: place.map(({ code, rate }) => `${code} ${rate}`).join(', '),
    unit: '%',
  });
}

function ownerFindings({ cdr_token }: Cdr, { ownParty }: ReviewOptions): Finding[] {
  if (sameParty(cdr_token, ownParty)) return [];
  return found(
    'token-of-another-party',
    `the token belongs to ${partyText(cdr_token)}, we are ${partyText(ownParty)}`,
  );
}

/** What a credit was meant to be, and what is wrong with how it is written. */
function creditMeant(
  cdr: Cdr,
  { timeZone, originalOfSession, credited }: ReviewOptions,
): { meant: Meant | undefined; findings: Finding[] } {
  const { credit, total_cost, currency, credit_reference_id: reference } = cdr;
  const total = `total_cost is ${total_cost.excl_vat} ${currency}`;
  const figures = { field: 'total_cost', told: decimal(total_cost.excl_vat).toString(), currency };
  if (credit !== true && !isNegativeBill(cdr)) {
    const named = `it is no Credit CDR, but names ${reference} as the one that it credits`;
    return { meant: undefined, findings: reference ? found('reference-without-credit', named) : [] };
  }
  const original = namedOriginal(cdr) ?? originalOfSession;
  if (credit !== true && reference === undefined && isDueNegative(cdr, timeZone)) {
    const detail = `${total} in a CDR that is no Credit CDR; its periods come to less than nothing, too`;
    return { meant: undefined, findings: found('negative-total', detail, figures) };
  }
  const id = knownId(cdr);
  const isPositive = total_cost.excl_vat > 0 || (total_cost.incl_vat ?? 0) > 0;
  const charged = credited === undefined ? Decimal.zero : decimal(credited.original.excl_tax);
  const ofPaidBack = charged.isZero() ? total_cost.excl_vat > 0 && isDueNegative(cdr, timeZone) : charged.isNegative();
  const paysAgain = `${total} in a Credit CDR of one that pays back: what takes that away is above nothing`;
  const findings = [
    ...(credit === true
      ? []
      : found(
          'negative-total',
          `${total} in a CDR that is no Credit CDR: taken for a credit of ${original ?? 'an unknown one'}`,
          figures,
        )),
    ...(ofPaidBack && total_cost.excl_vat < 0 ? found('negative-total', paysAgain, figures) : []),
    ...(isPositive && !ofPaidBack ? found('credit-total-not-negative', `${total}, a Credit CDR negates it`, figures) : []),
    ...(!ofPaidBack && negatesMore(cdr)
      ? found('credit-negates-more', 'negates more than total_cost, which alone a Credit CDR negates')
      : []),
    ...(sameId(id, cdr.id) ? [] : found('credit-reuses-id', `has the id of what it credits: known here as ${id}`)),
  ];
  if (findings.length === 0) return { meant: undefined, findings };
  const meant: Meant = {
    id,
    ...(original === undefined ? {} : { creditReferenceId: original }),
    ...(ofPaidBack ? { ofPaidBack } : {}),
  };
  return { meant, findings };
}

/** A car that fed back, or a price below nothing, be it less than a yen: a bill like that is no credit. */
function isDueNegative(cdr: Cdr, timeZone: KnownZone): boolean {
  if (negatesTime(cdr)) return false;
  const priced = pricedIn(cdr, timeZone);
  return !('code' in priced) && priced.priced.unrounded.excl.compare(Amount.zero) < 0;
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
    { field: 'total_energy', told: decimal(total_energy).toString(), due: inPeriods.toString(), unit: 'kWh' },
  );
}

/** Partners who charge nothing for it may tell it without a period that has it. */
function parkingFindings({ charging_periods, total_parking_time, total_time }: Cdr): Finding[] {
  if (total_parking_time === undefined) return [];
  const volumes = charging_periods.flatMap(({ dimensions }) =>
    dimensions.filter(({ type }) => type === 'PARKING_TIME').map(({ volume }) => decimal(volume)),
  );
  const told = decimal(total_parking_time);
  const inPeriods = sum(volumes);
  const isOff = told.sub(inPeriods).abs().compare(decimal('0.01')) > 0;
  if (!isOff || (volumes.length === 0 && told.compare(decimal(total_time)) <= 0)) return [];
  return found(
    'parking-time-differs-from-periods',
    `total_parking_time is ${told} h, the periods hold ${inPeriods} h`,
    { field: 'total_parking_time', told: told.toString(), due: inPeriods.toString(), unit: 'h' },
  );
}

function timeFindings(cdr: Cdr, { nowMs }: ReviewOptions): Finding[] {
  const startMs = instant(cdr.start_date_time);
  const endMs = instant(cdr.end_date_time);
  const late = (['end_date_time', 'last_updated'] as const).find(
    (field) => instant(cdr[field]) > nowMs + CLOCK_SLACK_MS,
  );
  const future = late === undefined
    ? []
    : found('time-in-the-future', `${cdr[late]} is yet to come`, { field: late, told: cdr[late] });
  const isEarly = instant(cdr.last_updated) < startMs - CLOCK_SLACK_MS;
  const early = `last_updated is ${cdr.last_updated}, before the charge began at ${cdr.start_date_time}: it is settled with that month`;
  const start = cdr.start_date_time;
  if (endMs < startMs)
    return [
      ...found('ends-before-it-starts', `it ends at ${cdr.end_date_time}, before ${start}`, { field: 'end_date_time', told: cdr.end_date_time, start }),
      ...future,
    ];
  const hours = decimal(endMs - startMs).divide(decimal(3_600_000), 6, 'half-away-from-zero');
  const told = decimal(cdr.total_time);
  // A reservation before the session may be counted or not: OCPI does not say.
  const reserved = sum(cdr.charging_periods.flatMap(({ dimensions }) =>
    dimensions.filter(({ type }) => type === 'RESERVATION_TIME').map(({ volume }) => decimal(volume))));
  const isOff = [hours, hours.sub(reserved)].every(
    (took) => told.sub(took).abs().compare(decimal('0.01')) > 0,
  );
  return [
    ...future,
    ...(isEarly ? found('updated-before-it-starts', early, { field: 'last_updated', told: cdr.last_updated, start }) : []),
    ...(isOff
      ? found(
          'time-differs-from-timestamps',
          `total_time is ${told} h, from start to end it took ${hours} h`,
          { field: 'total_time', told: told.toString(), due: hours.toString(), unit: 'h' },
        )
      : []),
  ];
}
