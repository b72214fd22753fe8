import { decimal } from '#money';
import { type Priced, priceReport, type TextPrice } from '#pricing';
import { durationText, moneyText, withCurrency } from './money-text.ts';
import { table } from './table.ts';

const NAMES: Readonly<Record<string, string>> = {
  ENERGY: 'Energy',
  TIME: 'Charging time',
  PARKING_TIME: 'Parking time',
  FLAT: 'Fee',
};
const PER: Readonly<Record<string, string>> = {
  ENERGY: '/kWh',
  TIME: '/h',
  PARKING_TIME: '/h',
  FLAT: '',
};

/** A price as a table: a row for each line, for the bounds that held, and what is to be paid. */
export function costTable(priced: Priced): string[] {
  const { currency, lines, total_cost, unrounded } = priceReport(priced);
  const both = (of: TextPrice) =>
    [of.excl_vat, of.incl_vat].map((text) => (text === undefined ? '' : moneyText(text, currency)));
  const rows = [
    ['', 'billed', 'price', 'tax', 'before tax', 'with tax'],
    ...lines.map(({ dimension, reservation, billed, price, vat, cost }) => [
      reservation ? `Reservation: ${NAMES[dimension]!.toLowerCase()}` : NAMES[dimension]!,
      billedText(dimension, billed),
      `${withCurrency(price, currency)}${PER[dimension]}`,
      vat === undefined ? '' : `${vat} %`,
      ...both(cost),
    ]),
    ...(['excl', 'incl'] as const).flatMap((side) => {
      const by = priced.bounded[side];
      return by === undefined ? [] : [[`${by} (${side}_vat)`, '', '', '', ...both(unrounded)]];
    }),
    ['To pay', '', '', '', ...both(total_cost)],
  ];
  if (isRounded(unrounded, total_cost)) rows.push(['Unrounded', '', '', '', ...both(unrounded)]);
  return table(rows, [false, true, true, true, true, true]);
}

function isRounded(unrounded: TextPrice, total: TextPrice): boolean {
  return unrounded.excl_vat !== total.excl_vat || unrounded.incl_vat !== total.incl_vat;
}

function billedText(dimension: string, billed: string): string {
  if (dimension === 'FLAT') return 'once';
  return dimension === 'ENERGY' ? `${decimal(billed).shift(-3)} kWh` : durationText(billed);
}
