import type { Decimal } from './decimal.ts';
import type { Rounding } from './rounding.ts';

/** The currency is not one of ISO 4217's current codes. */
export class UnknownCurrency extends Error {
  override readonly name = 'UnknownCurrency';
  readonly currency: string;
  constructor(currency: string) {
    super(`not an ISO 4217 currency: ${currency.slice(0, 20)}`);
    this.currency = currency;
  }
}

// ISO 4217, list one: digits after the point of the minor unit.
const CODES_BY_MINOR_UNITS: Record<number, string> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD
    KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK
    SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN
    UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

const known = new Map<string, number>();
for (const [digits, codes] of Object.entries(CODES_BY_MINOR_UNITS)) {
  for (const code of codes.split(/\s+/)) known.set(code, Number(digits));
}

export function isCurrency(code: string): boolean {
  return known.has(code);
}

/** Digits after the point of the minor unit, in small letters too, or undefined for no current currency. */
export function minorUnitsOf(code: string): number | undefined {
  return known.get(code) ?? known.get(String(code).toUpperCase());
}

/** Digits after the point of the minor unit: JPY 0, CAD 2, KWD 3. Throws UnknownCurrency. */
export function minorUnits(currency: string): number {
  const digits = known.get(currency);
  if (digits === undefined) throw new UnknownCurrency(currency);
  return digits;
}

/** An amount as people read it, in the currency's own digits: "5.50 CAD". */
export function amountText(
  amount: Decimal,
  currency: string,
  mode: Rounding = 'half-away-from-zero',
): string {
  const digits = known.get(currency) ?? 2;
  return `${amount.roundTo(digits, mode).toFixed(digits)} ${currency}`;
}

/** Exactly, with at least the digits of the currency and two where it is none: 1.2 CAD is "1.20", 1.005 CAD "1.005". */
export function exactText(amount: Decimal, currency: string): string {
  const digits = amount.toString().split('.')[1]?.length ?? 0;
  return amount.toFixed(Math.max(minorUnitsOf(currency) ?? 2, digits));
}
