export interface BenchRow {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** To the reference of the same run. */
  readonly ratio?: number;
  readonly reference?: string;
  /** What the ratio, or the figure where there is none, should be at least. */
  readonly wanted?: string;
}

export function ratio(what: string, figure: number, reference: number, of: string, wanted: string): BenchRow {
  return { what: `  ${what} / ${of}`, figure: round(figure / reference), unit: 'x', ratio: round(figure / reference), reference: of, ...(wanted === 'none' ? {} : { wanted }) };
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
