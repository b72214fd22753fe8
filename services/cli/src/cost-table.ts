import { decimal } from '#money';
import { type Priced, type PriceReport, priceReport, type TextPrice } from '#pricing';
import { durationText, moneyText, withCurrency } from './money-text.ts';
import { table } from './table.ts';

const NAMES: Readonly<Record<string, string>> = {
  ENERGY: 'Energy',
  TIME: 'Charging time',
  PARKING_TIME: 'Parking time',
  FLAT: 'Fee',
};
const RESERVED: Readonly<Record<string, string>> = { TIME: 'Reservation time', FLAT: 'Reservation fee' };
const PER: Readonly<Record<string, string>> = {
  ENERGY: '/kWh',
  TIME: '/h',
  PARKING_TIME: '/h',
  FLAT: '',
};

/** Each side, before and with tax, is bounded by itself: a row names only those that are. PRC-12 */
const BOUNDS = { min_price: 'Least price of the tariff', max_price: 'Highest price of the tariff' } as const;

/** A price as a table: a row for each line, for the bounds that held, and what is to be paid or taken back. */
export function costTable(priced: Priced, isCredit = false): string[] {
  const report = priceReport(priced);
  const { currency, lines, unrounded } = report;
  const due = isCredit ? creditReport(report) : report;
  const money = (text: string | undefined) => (text === undefined ? '' : moneyText(text, currency));
  const both = (of: TextPrice) => [of.excl_vat, of.incl_vat].map(money);
  const rows = [
    ['', 'billed', 'price', 'tax', 'before tax', 'with tax'],
    ...lines.map(({ dimension, reservation, billed, price, vat, cost }) => [
      reservation ? RESERVED[dimension]! : NAMES[dimension]!,
      billedText(dimension, billed),
      `${withCurrency(price, currency)}${PER[dimension]}`,
      vat === undefined ? '' : `${vat} %`,
      ...both(cost),
    ]),
    ...(['min_price', 'max_price'] as const).flatMap((by) => {
      const { excl, incl } = priced.bounded;
      if (excl !== by && incl !== by) return [];
      const { excl_vat, incl_vat } = unrounded;
      const [before, after] = [excl === by ? excl_vat : undefined, incl === by ? incl_vat : undefined];
      return [[BOUNDS[by], '', '', '', ...[before, after].map(money)]];
    }),
    [isCredit ? 'Taken back' : 'To pay', '', '', '', ...both(due.total_cost)],
  ];
  if (isRounded(due.unrounded, due.total_cost)) rows.push(['Unrounded', '', '', '', ...both(due.unrounded)]);
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

function billedText(dimension: string, billed: string): string {
  if (dimension === 'FLAT') return 'once';
  return dimension === 'ENERGY' ? `${decimal(billed).shift(-3)} kWh` : durationText(billed);
}
