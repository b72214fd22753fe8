import type { Decimal } from './decimal.ts';

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

/** One of ISO 4217's current codes, in capital letters as it has them. */
export function isCurrency(code: string): boolean {
  return known.has(code);
}

/** Digits after the point of the minor unit, in small letters too, or undefined for no current currency. */
export function minorUnitsOf(code: string): number | undefined {
  return known.get(code) ?? known.get(String(code).toUpperCase());
}

/** The same, and two where it is none: a partner's odd currency is recorded and flagged. JPY 0, CAD 2, KWD 3. */
export function digitsOf(currency: string): number {
  return minorUnitsOf(currency) ?? 2;
}

/** Exactly, with at least the digits of the currency and two where it is none: 1.2 CAD is "1.20", 1.005 CAD "1.005". */
export function exactText(amount: Decimal, currency: string): string {
  const digits = amount.toString().split('.')[1]?.length ?? 0;
  return amount.toFixed(Math.max(digitsOf(currency), digits));
}
