/** How a price was made: what is needed to make it again, and what it was before it was rounded. */
export interface PricingNote {
  /** IANA zone of the Location; absent where it was not known and nothing depended on it. */
  readonly timeZone?: string;
  /** Release of the time zone database, such as "2026f". */
  readonly tzdb: string;
  /** Decimal text, not rounded; `inclVat` only where VAT applies. */
  readonly unrounded: { readonly exclVat: string; readonly inclVat?: string };
  /** Of the tariff-engine, of the session's start; absent for a replacement's own tariff. */
  readonly tariffVersion?: number;
}
