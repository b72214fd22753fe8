import type { Rounding } from '#money';
import { english } from './explain-english.ts';
import { french } from './explain-french.ts';
import type { NoteCode } from './notes.ts';
import type { Restriction } from './reason.ts';
import type { TariffDimension } from './shapes.ts';

/** How one language says how a price came about. Amounts come with their currency, digits and units as it writes them. */
export interface ExplainWords {
  /** "1,234.50" or "1 234,50" of "1234.50". */
  readonly number: (digits: string) => string;
  readonly money: (number: string, currency: string) => string;
  readonly colon: string;
  readonly span: (from: string, to: string) => string;
  readonly noTariff: string;
  readonly nothingToPrice: string;
  readonly dimensions: Readonly<Record<TariffDimension, string>>;
  readonly reserved: Readonly<{ TIME: string; FLAT: string }>;
  readonly at: Readonly<Record<TariffDimension, (price: string) => string>>;
  /** "5 % tax", of a percentage that no tax of the place comes to. */
  readonly tax: (percent: string) => string;
  readonly andTax: (tax: string) => string;
  readonly ofPart: (part: number) => string;
  readonly noPart: string;
  readonly withTax: (before: string, after: string) => string;
  readonly passedOver: (part: number, why: string) => string;
  readonly forReservations: string;
  readonly notForThisReservation: string;
  readonly restricted: Readonly<Record<Restriction, (asks: string, was: string) => string>>;
  /** What a restriction asks for, and what was the case. */
  readonly times: (from: string, to: string) => string;
  readonly clock: (time: string) => string;
  readonly dates: Readonly<Record<'start_date' | 'end_date', (day: string) => string>>;
  /** 0 = Monday. */
  readonly days: (days: readonly number[]) => string;
  readonly day: (day: number) => string;
  readonly atLeast: (quantity: string) => string;
  readonly lessThan: (quantity: string) => string;
  readonly unknown: string;
  readonly step: (of: { dimension: TariffDimension; reservation: boolean }, figures: Readonly<Record<'size' | 'used' | 'billed' | 'surplus', string>>) => string;
  readonly sum: string;
  readonly bound: (of: { by: 'min_price' | 'max_price'; side: 'excl_vat' | 'incl_vat' }, amounts: Readonly<Record<'change' | 'to' | 'from', string>>) => string;
  readonly toPay: string;
  readonly rounded: Readonly<Record<Rounding, string>>;
  readonly note: (period: number | undefined) => string;
  readonly notes: Readonly<Record<NoteCode, string>>;
}

export type ExplainLanguage = 'en' | 'fr';

export const EXPLAIN_WORDS: Readonly<Record<ExplainLanguage, ExplainWords>> = { en: english, fr: french };
