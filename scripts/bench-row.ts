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
  return {
    what: `  ${what} / ${of}`,
    figure: round(figure / reference),
    unit: 'x',
    ratio: round(figure / reference),
    reference: of,
    ...(wanted === 'none' ? {} : { wanted }),
  };
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

export function half(values: readonly number[]): number {
  return within(values, 0.5);
}

/** What this share of the values does not go beyond. */
export function within(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
}
