import { decimal } from '#money';
import { durationText, type Priced, type PriceReport, priceReport, type TextPrice } from '#pricing';
import { COST_WORDS, type CostWords } from './cost-words.ts';
import { moneyText, withCurrency } from './money-text.ts';
import { table } from './table.ts';

const PER: Readonly<Record<string, string>> = {
  ENERGY: '/kWh',
  TIME: '/h',
  PARKING_TIME: '/h',
  FLAT: '',
};

/** A price as a table: a row for each line, for the bounds that held, and what is to be paid or taken back. */
export function costTable(priced: Priced, isCredit = false, words: CostWords = COST_WORDS.en): string[] {
  const { number } = words;
  const report = priceReport(priced);
  const { currency, lines } = report;
  const due = isCredit ? creditReport(report) : report;
  const money = (text: string | undefined) => (text === undefined ? '' : moneyText(text, currency, number));
  const both = (of: TextPrice) => [of.excl_vat, of.incl_vat].map(money);
  const rows = [
    ['', ...words.columns],
    ...lines.map(({ dimension, reservation, billed, price, vat, cost }) => [
      (reservation ? words.reserved : words.dimensions)[dimension]!,
      billedText(dimension, billed, words),
      `${withCurrency(number(price), currency)}${PER[dimension]}`,
      vat === undefined ? '' : `${number(vat)} %`,
      ...both(cost),
    ]),
    // Each side, before and with tax, is bounded by itself: a row names only those that are. PRC-12
    ...(['min_price', 'max_price'] as const).flatMap((by) => {
      const { excl, incl } = priced.bounded;
      if (excl !== by && incl !== by) return [];
      const added = (side: 'excl' | 'incl') =>
        `${priced.unrounded[side]!.compare(priced.subtotal[side]!) < 0 ? '' : '+'}${money(priced.unrounded[side]!.sub(priced.subtotal[side]!).toString())}`;
      return [[words.bounds[by], '', '', '', excl === by ? added('excl') : '', incl === by ? added('incl') : '']];
    }),
    [isCredit ? words.takenBack : words.toPay, '', '', '', ...both(due.total_cost)],
  ];
  if (isRounded(due.unrounded, due.total_cost)) rows.push([words.unrounded, '', '', '', ...both(due.unrounded)]);
  return table(rows, [false, true, true, true, true, true]);
}

/** Of a Credit CDR the total_cost is the opposite, and nothing else (CDR-04). */
export function creditReport(report: PriceReport): PriceReport {
  return { ...report, total_cost: opposite(report.total_cost), unrounded: opposite(report.unrounded) };
}

function opposite({ excl_vat, incl_vat }: TextPrice): TextPrice {
  const negative = (text: string) => decimal(text).neg().toString();
  return { excl_vat: negative(excl_vat), ...(incl_vat === undefined ? {} : { incl_vat: negative(incl_vat) }) };
}

function isRounded(unrounded: TextPrice, total: TextPrice): boolean {
  return unrounded.excl_vat !== total.excl_vat || unrounded.incl_vat !== total.incl_vat;
}

function billedText(dimension: string, billed: string, { once, number }: CostWords): string {
  if (dimension === 'FLAT') return once;
  return dimension === 'ENERGY' ? `${number(decimal(billed).shift(-3).toString())} kWh` : durationText(billed, number);
}
