import { type Decimal, decimal, digitsOf } from '#money';
import { type ExplainLanguage, type PriceReport, priceReport, spanningPeriods, type TextPrice } from '#pricing';
import { CHARGE_OPTIONS, eachCharge, isCredit, POLICY_HELP, type PricedCharge } from './charges.ts';
import { costTable, creditReport } from './cost-table.ts';
import { COST_WORDS } from './cost-words.ts';
import { givenLanguage } from './language.ts';
import { withCurrency } from './money-text.ts';
import type { Verb } from './verb.ts';
import { sourceText, zoneJson } from './zone-words.ts';

export const price: Verb = {
  usage: 'CDR.json… [options]',
  about: `Prices CDRs and Sessions by OCPI 2.2.1, exactly: total_cost is rounded once to the currency's
digits, unrounded and lines are exact. Incomplete CDRs are priced too: charging_periods, times
and a tariff are enough; a Credit CDR's total_cost is negative. Files hold one object, a list,
an OCPI envelope {"data": …}, a page of the portal or JSON Lines; "-" is the standard input. What
is refused is named on stderr with file:line.

${POLICY_HELP}`,
  options: CHARGE_OPTIONS,
  examples: [
    ['npx roamwatt price cdr.json', 'a table for people'],
    [
      'npx roamwatt price cdr.json --tariff tariff.json --time-zone America/Vancouver --json',
      'an incomplete CDR by a tariff of its own file, as JSON',
    ],
    ['zcat cdrs.jsonl.gz | npx roamwatt price - --json > prices.jsonl', 'any number of CDRs'],
  ],
  run: async (given, terminal) => {
    const language = givenLanguage(given);
    const show = given.flags.has('json') ? jsonLine : priceTable;
    return eachCharge(given, terminal, (charge) => show(charge, language));
  },
};

function jsonLine(charge: PricedCharge, language: ExplainLanguage): string {
  const { at, id, zone } = charge;
  const { currency, ...rest } = reportOf(charge);
  return JSON.stringify({
    ...(id === undefined ? {} : { id }),
    source: at,
    language,
    ...(currency === '' ? {} : { currency }),
    ...rest,
    ...(zone ? { time_zone: zone.name, ...zoneJson(zone, language) } : {}),
    ...statedOf(charge, rest),
    notes: notesOf(charge).map((note) => ('why' in note ? { ...note, why: note.why[language] } : note)),
  });
}

function reportOf(charge: PricedCharge): PriceReport {
  const report = priceReport(charge.priced);
  return isCredit(charge) ? creditReport(report) : report;
}

function notesOf({ priced, remarks: read }: PricedCharge) {
  return [
    ...[...priced.notes, ...spanningPeriods(priced)].map(({ code, period }) => ({
      code,
      ...(period === undefined ? {} : { path: `charging_periods[${period}]` }),
    })),
    ...read,
  ];
}

interface Stated {
  readonly stated?: TextPrice;
  readonly stated_agrees?: boolean;
}

/** The object's own total_cost beside ours. */
function statedOf({ source, priced }: PricedCharge, ours: Omit<PriceReport, 'currency'>): Stated {
  const { total_cost: cost } = source;
  if (cost == null) return {};
  // That of OCPI 2.1.1 is one number, without VAT.
  const own = (typeof cost === 'object' ? cost : { excl_vat: cost }) as Partial<Record<keyof TextPrice, unknown>>;
  const [excl, incl] = [amountOf(own.excl_vat), amountOf(own.incl_vat)];
  if (excl === undefined) return {};
  const agrees = (side: keyof TextPrice, given: string | undefined) => {
    if (given === undefined) return true;
    const value = decimal(given);
    // PRC-05: where no tax applies, what is to pay with it is what is to pay.
    const [total, exact] = [ours.total_cost, ours.unrounded].map((cost) => decimal(cost[side] ?? cost.excl_vat)) as [Decimal, Decimal];
    return total.equals(value) || exact.equals(value) || isRoundedTo(value, exact, priced.currency);
  };
  return {
    stated: { excl_vat: excl, ...(incl === undefined ? {} : { incl_vat: incl }) },
    stated_agrees: agrees('excl_vat', excl) && agrees('incl_vat', incl),
  };
}

/** As the ledger reads it. TYP-04: of more than a number's four decimals the rest is dust of binary arithmetic. */
function isRoundedTo(value: Decimal, exact: Decimal, currency: string): boolean {
  const told = value.toString().split('.')[1]?.length ?? 0;
  const digits = Math.max(digitsOf(currency), Math.min(told, 4));
  const [ours, theirs] = [exact, value].map((amount) => amount.roundTo(digits, 'half-away-from-zero')) as [Decimal, Decimal];
  return ours.equals(theirs);
}

function amountOf(value: unknown): string | undefined {
  try {
    return decimal(value as string).toString();
  } catch {
    return undefined;
  }
}

function priceTable(charge: PricedCharge, language: ExplainLanguage): string {
  const { at, id, priced } = charge;
  return [
    `${at}${id === undefined ? '' : `  ${id}`}`,
    ...[...costTable(priced, isCredit(charge), COST_WORDS[language]), ...remarks(charge, language)].map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function remarks(charge: PricedCharge, language: ExplainLanguage): string[] {
  const { zone } = charge;
  const { colon, differs, localTimes, note: heading, notes, number, withTax } = COST_WORDS[language];
  const report = reportOf(charge);
  const { stated, stated_agrees } = statedOf(charge, report);
  const said = stated?.incl_vat === undefined ? '' : `, ${withTax} ${number(stated.incl_vat)}`;
  return [
    ...(zone ? [localTimes(zone.name, sourceText(zone, language))] : []),
    ...(stated && !stated_agrees
      ? [differs(withCurrency(`${number(stated.excl_vat)}${said}`, report.currency))]
      : []),
    ...notesOf(charge).map((note) => {
      const where = 'path' in note ? `${note.path}: ` : '';
      const what = 'why' in note ? note.why[language] : notes[note.code];
      return `${heading}${colon} ${where}${what}.`;
    }),
  ];
}
