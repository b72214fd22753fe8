import { Decimal, decimal, min } from '#money';
import { isBegin, isEnd, type SignedNature } from './nature.ts';
import type { Ocmf, OcmfReading } from './ocmf.ts';

export type DifferenceCode =
  | 'energy'
  | 'time'
  | 'unit'
  | 'not-usable'
  | 'pages'
  | 'pages-missing'
  | 'meters'
  | 'incomplete';

/** Where what is signed and what is charged do not agree. */
export interface Difference {
  readonly code: DifferenceCode;
  readonly detail: string;
  /** Of the energy, or of a time and its field in the CDR: what is charged, and what is signed. */
  readonly figures?: { readonly told: string; readonly due: string; readonly unit?: 'kWh'; readonly field?: string };
}

export interface Charge {
  /** Decimal text. */
  readonly energyKwh: string;
  readonly startMs: number;
  /** Of the session; the meter may have stopped before a car was done with parking. */
  readonly endMs: number;
}

export interface SignedRecord {
  readonly nature: SignedNature | undefined;
  readonly ocmf: Ocmf;
}

/** Clocks of stations are off by so much without meaning anything. */
const CLOCK_SLACK_MS = 5 * 60_000;
/** A station tells its register in whole Wh, at the start and at the end. */
const STATION_SLACK_KWH = decimal('0.002');
/** Zeros at the end may have been left out of both. */
const COARSEST_KWH = decimal('0.1');

/** Compares the records of one transaction with what is charged for it. */
export function compareWithCharge(records: readonly SignedRecord[], charge: Charge): Difference[] {
  const pairs = pairsOf(records);
  return [
    ...usability(records),
    ...sources(records),
    ...pagination(records),
    ...(pairs.length > 0 ? energy(pairs, charge) : incomplete(records)),
    ...times(records, charge),
  ];
}

interface Pair {
  readonly begin: OcmfReading;
  readonly end: OcmfReading;
}

const all = (records: readonly SignedRecord[]): OcmfReading[] =>
  records.flatMap(({ ocmf }) => ocmf.readings);

/** The first and the last reading of each register of energy. */
function pairsOf(records: readonly SignedRecord[]): Pair[] {
  const measured = (which: (reading: OcmfReading) => boolean, nature: SignedNature) =>
    records
      .flatMap((record) =>
        record.ocmf.readings.filter(
          (each) => which(each) || (each.reason === undefined && record.nature === nature),
        ),
      )
      .filter(({ value, unit }) => value !== undefined && scaleOf(unit) !== undefined)
      .toSorted((a, b) => a.atMs - b.atMs);
  const begins = measured(({ reason }) => isBegin(reason), 'Start');
  const ends = measured(({ reason }) => isEnd(reason), 'End');
  const registers = new Set(begins.map(({ register }) => register));
  return [...registers].flatMap((register) => {
    const begin = begins.find((each) => each.register === register);
    const end = ends.findLast((each) => each.register === register);
    return begin && end ? [{ begin, end }] : [];
  });
}

/** Places by which the point moves to kWh. */
function scaleOf(unit: string | undefined): number | undefined {
  if (unit === 'kWh') return 0;
  return unit === 'Wh' ? -3 : undefined;
}

const kwhOf = ({ value, unit }: OcmfReading): Decimal => decimal(value!).shift(scaleOf(unit)!);

/** A register may count both ways or with losses: it is enough that one of them agrees. */
function energy(pairs: readonly Pair[], { energyKwh }: Charge): Difference[] {
  const charged = decimal(energyKwh);
  const signed = pairs.map((pair) => ({
    taken: kwhOf(pair.end).sub(kwhOf(pair.begin)),
    slack: STATION_SLACK_KWH.add(lastPlaceOf(pair)),
  }));
  if (signed.some(({ taken, slack }) => taken.sub(charged).abs().compare(slack) <= 0)) return [];
  const due = signed[0]!.taken.toString();
  const detail = `it is signed for ${due} kWh, charged are ${charged} kWh`;
  return [{ code: 'energy', detail, figures: { told: charged.toString(), due, unit: 'kWh' } }];
}

const lastPlaceOf = ({ begin, end }: Pair): Decimal =>
  min(min(lastPlace(begin), lastPlace(end)), COARSEST_KWH);

/** The worth of the last digit that is shown, in kWh; of two, the finer is the meter's. */
function lastPlace({ value, unit }: OcmfReading): Decimal {
  const [, fraction = ''] = /\.(\d+)/.exec(value!) ?? [];
  return Decimal.of(1, fraction.length).shift(scaleOf(unit)!);
}

function incomplete(records: readonly SignedRecord[]): Difference[] {
  const units = [...new Set(all(records).map(({ unit }) => unit ?? 'none'))];
  if (!units.some((unit) => scaleOf(unit) !== undefined)) {
    return [{ code: 'unit', detail: `its unit is ${units.join(', ')}, not kWh or Wh` }];
  }
  return [{ code: 'incomplete', detail: 'it does not hold both the first and the last reading' }];
}

function usability(records: readonly SignedRecord[]): Difference[] {
  const bad = all(records).find(
    ({ reason, status, errors }) =>
      (isBegin(reason) || isEnd(reason)) && (status !== 'G' || errors.includes('E')),
  );
  if (!bad) return [];
  const why = bad.status === 'G' ? `error flags ${bad.errors}` : `status ${bad.status || 'none'}`;
  return [{ code: 'not-usable', detail: `the meter itself calls its energy not usable: ${why}` }];
}

function sources(records: readonly SignedRecord[]): Difference[] {
  const meters = [...new Set(records.map(({ ocmf }) => ocmf.meter ?? 'none'))];
  if (meters.length < 2) return [];
  return [{ code: 'meters', detail: `it is signed by several meters: ${meters.join(', ')}` }];
}

/** Pages of transactions are counted by ones: none may come twice or go back. */
function pagination(records: readonly SignedRecord[]): Difference[] {
  const pages = records
    .filter(({ ocmf }) => ocmf.page?.context === 'T')
    .toSorted((a, b) => a.ocmf.readings[0]!.atMs - b.ocmf.readings[0]!.atMs)
    .map(({ ocmf }) => ocmf.page!.number);
  const told = pages.map((page) => `T${page}`).join(', ');
  if (pages.some((page, n) => n > 0 && page <= pages[n - 1]!)) {
    return [{ code: 'pages', detail: `its pages do not follow each other: ${told}` }];
  }
  return pages.some((page, n) => n > 0 && page > pages[n - 1]! + 1)
    ? [{ code: 'pages-missing', detail: `pages between these are not there: ${told}` }]
    : [];
}

/** Whose clock the meter vouches for; one that runs from its own start tells no time of day. */
function times(records: readonly SignedRecord[], { startMs, endMs }: Charge): Difference[] {
  const timed = all(records).filter(({ clock, errors }) => clock !== 'R' && clock !== 'U' && !errors.includes('t'));
  const begin = timed.find(({ reason }) => isBegin(reason));
  const end = timed.findLast(({ reason }) => isEnd(reason));
  const told = (ms: number) => new Date(ms).toISOString();
  const wrong = [
    begin && Math.abs(begin.atMs - startMs) > CLOCK_SLACK_MS
      ? { said: `begins at ${told(begin.atMs)}, the charge at ${told(startMs)}`, field: 'start_date_time', told: told(startMs), due: told(begin.atMs) }
      : undefined,
    end && (end.atMs < startMs - CLOCK_SLACK_MS || end.atMs > endMs + CLOCK_SLACK_MS)
      ? { said: `ends at ${told(end.atMs)}, the charge lasts until ${told(endMs)}`, field: 'end_date_time', told: told(endMs), due: told(end.atMs) }
      : undefined,
  ].filter((each) => each !== undefined);
  if (wrong.length === 0) return [];
  // Of two the first has the figures.
  const { said: _, ...figures } = wrong[0]!;
  return [{ code: 'time', detail: `what is signed ${wrong.map(({ said }) => said).join(' and ')}`, figures }];
}
