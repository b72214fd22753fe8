/**
 * What was found in a received CDR, or in one of ours when it was issued: recorded with it and
 * disputable; no CDR is refused or held back for it.
 */
export type FindingCode =
  // Price
  | 'price-differs'
  | 'split-differs'
  | 'period-spans-price-change'
  | 'negative-total'
  | 'credit-total-not-negative'
  | 'credit-negates-more'
  | 'not-priceable'
  | 'time-zone-unknown'
  | 'time-zone-differs'
  | 'currency-unknown'
  | 'tax-differs-from-place'
  | 'tariff-in-another-currency'
  | 'tariff-not-listed'
  | 'tariff-outside-its-validity'
  | 'tariff-not-as-published'
  | 'tariff-not-compared'
  // Volumes and times
  | 'energy-differs-from-periods'
  | 'time-differs-from-timestamps'
  | 'parking-time-differs-from-periods'
  | 'period-outside-session'
  | 'ends-before-it-starts'
  | 'time-in-the-future'
  | 'updated-before-it-starts'
  // What the meter signed, and whether it bears out what is charged
  | 'signed-data-valid'
  | 'signed-by-unknown-key'
  | 'signed-data-not-verifiable'
  | 'signed-data-invalid'
  | 'signed-data-unreadable'
  | 'signed-key-differs'
  | 'signed-energy-differs'
  | 'signed-time-differs'
  | 'signed-unit-unknown'
  | 'signed-reading-not-usable'
  | 'signed-pages-out-of-order'
  | 'signed-pages-missing'
  | 'signed-by-several-meters'
  | 'signed-readings-incomplete'
  // What the meter of our own station said that cannot be; sessions has left it out
  | MeterFindingCode
  // Whom and what it is for
  | 'token-of-another-party'
  | 'credit-of-unknown-original'
  | 'second-credit'
  | 'credit-differs-from-original'
  | 'credit-reuses-id'
  | 'reference-without-credit'
  | 'overlaps-another-charge'
  | 'session-billed-twice';

/** As the sessions service names them. */
const METER_FINDINGS = [
  'register-fell',
  'reading-beyond-power',
  'register-wrapped',
  'register-replaced',
  'meter-start-missing',
  'meter-stop-missing',
  'meter-stop-below-start',
  'meter-stop-below-reading',
  'meter-stop-beyond-power',
  'stopped-before-last-reading',
  'signed-values-left-out',
  'station-clock-wrong',
  'station-without-power',
  'closed-by-operator',
] as const;

export type MeterFindingCode = (typeof METER_FINDINGS)[number];

/** Said for whoever wonders; nobody has to do anything about it. */
const REMARKS: ReadonlySet<string> = new Set<FindingCode>([
  'signed-data-valid',
  'signed-by-unknown-key',
  'signed-data-not-verifiable',
  'signed-pages-missing',
  'signed-readings-incomplete',
  'register-wrapped',
  'station-without-power',
  'signed-values-left-out',
]);
const UNCHECKED: ReadonlySet<string> = new Set<FindingCode>(['time-zone-unknown', 'tariff-not-compared']);

export const isRemark = ({ code }: Pick<Finding, 'code'>): boolean => REMARKS.has(code);

/** It says nothing against the CDR itself. */
export const isHarmless = ({ code }: Pick<Finding, 'code'>): boolean =>
  REMARKS.has(code) || UNCHECKED.has(code);

export interface Finding {
  readonly code: FindingCode;
  /** A sentence with what was expected and what was there. */
  readonly detail: string;
  /** What of it is a figure, for programs and other languages; entries of former releases have none: `figuresOf`. */
  readonly figures?: Figures;
  /** The other CDR that it is about, `CA*BCT*id`: once that is credited, it is settled. */
  readonly about?: string;
}

/** Exact decimals, RFC 3339 times and names, as text. */
export interface Figures {
  /** Of the CDR. */
  readonly field?: string;
  /** In the CDR; of several taxes their rates, `5, 9.975`. */
  readonly told?: string;
  /** What it should have been; of taxes with their codes, `GST 5, QST 9.975`. */
  readonly due?: string;
  readonly currency?: string;
  readonly vat?: 'excl' | 'incl';
  readonly unit?: 'kWh' | 'Wh' | 'h' | '%';
  /** When the charge began, where what was told is a time before it. */
  readonly start?: string;
}

export function found(code: FindingCode, detail: string, figures?: Figures): Finding[] {
  return [{ code, detail, ...(figures && { figures }) }];
}

/** Those that sessions noted of the meter, of all that was found in a CDR of ours. */
export function ofMeter(findings: readonly Finding[] = []): readonly Finding[] {
  return findings.filter(({ code }) => METER_FINDINGS.some((each) => each === code));
}

/** As sessions tells it. */
export interface NotedOfMeter {
  readonly code: string;
  readonly detail: string;
  readonly figures?: Readonly<Record<string, string>>;
}

/** What sessions noted of the meter, as far as it is known here. */
export function meterFindings({ meterFindings: noted = [] }: { readonly meterFindings?: readonly NotedOfMeter[] | undefined }): Finding[] {
  return noted.flatMap(({ code, detail, figures = {} }) => {
    const known = METER_FINDINGS.find((each) => each === code);
    return known ? found(known, detail, Object.keys(figures).length > 0 ? (figures as Figures) : undefined) : [];
  });
}
