import { type Decimal, decimal, sum } from '#money';
import type { Price as Price221, PriceComponent, Tariff, TariffElement } from '#ocpi';
import { filled, type Json, NotCarried, Notes } from './converted.ts';
import type { Price, PriceLimit, TaxIncluded } from './ocpi-230.ts';

// 2.3.0 names the taxes beside the price before them; 2.2.1 has one sum with VAT.

/** What a tax is called when only its amount is known. */
const TAX = 'VAT';
const HUNDRED = decimal(100);

/** The number that JSON writes with exactly these digits. */
function exactly(amount: Decimal, field: string): number {
  try {
    return amount.toJsonNumber();
  } catch {
    throw new NotCarried('cannot-be-said', `${field}: ${amount} has more digits than a JSON number carries exactly`);
  }
}

export function priceDown({ excl_vat, incl_vat, ...others }: Price221): Json {
  const tax = incl_vat === undefined ? undefined : exactly(decimal(incl_vat).sub(decimal(excl_vat)), 'taxes');
  return filled({ before_taxes: excl_vat, taxes: tax === undefined ? undefined : [{ name: TAX, amount: tax }], ...others });
}

export function priceUp({ before_taxes, taxes = [], ...others }: Price, notes: Notes): Json {
  const isBare = taxes.every((tax) => tax.name === TAX && tax.percentage === undefined && tax.account_number === undefined);
  if (taxes.length > 1 || !isBare)
    notes.say('taxes', `OCPI 2.2.1 has one sum with VAT; ${taxes.map(({ name }) => name).join(', ')} are added up`);
  const incl = taxes.length === 0 ? undefined : exactly(sum([before_taxes, ...taxes.map(({ amount }) => amount)].map(decimal)), 'taxes');
  return filled({ excl_vat: before_taxes, incl_vat: incl, ...others });
}

function limitDown(price: Price221 | undefined): Json | undefined {
  if (!price) return undefined;
  const { excl_vat, incl_vat, ...others } = price;
  return filled({ before_taxes: excl_vat, after_taxes: incl_vat, ...others });
}

function limitUp(limit: PriceLimit | undefined): Json | undefined {
  if (!limit) return undefined;
  const { before_taxes, after_taxes, ...others } = limit;
  return filled({ excl_vat: before_taxes, incl_vat: after_taxes, ...others });
}

/** Our prices are before taxes. By the letter of 2.2.1 a component without vat has none: where all are such, no taxes apply. */
export function tariffDown(tariff: Partial<Tariff>, whole: boolean): Json {
  const { min_price, max_price, elements, ...others } = tariff;
  const isTaxed = elements?.some(({ price_components }) => price_components.some(({ vat }) => vat !== undefined)) ?? false;
  return filled({
    ...others,
    min_price: limitDown(min_price),
    max_price: limitDown(max_price),
    elements,
    tax_included: whole || elements ? (isTaxed ? 'NO' : 'N/A') : undefined,
  });
}

export interface TariffOf230 extends Json {
  min_price?: PriceLimit;
  max_price?: PriceLimit;
  elements?: TariffElement[];
  tax_included: TaxIncluded;
}

export function tariffUp({ min_price, max_price, elements, tax_included, ...others }: TariffOf230, notes: Notes): Json {
  const isRated = elements?.some(({ price_components }) => price_components.some(({ vat }) => vat !== undefined)) ?? true;
  if (tax_included === 'NO' && !isRated)
    notes.say('elements', 'taxes of an unknown rate are added to the prices; without vat OCPI 2.2.1 has none');
  const components = (element: TariffElement, i: number) => element.price_components.map((component, j) =>
    componentUp(component, tax_included, notes.at('elements').at(i).at('price_components').at(j)));
  return filled({
    ...others,
    min_price: limitUp(min_price),
    max_price: limitUp(max_price),
    elements: elements?.map((element, i) => ({ ...element, price_components: components(element, i) })),
  });
}

function componentUp(component: PriceComponent, included: TaxIncluded, notes: Notes): PriceComponent {
  const { vat, ...others } = component;
  if (included === 'NO') return component;
  if (included === 'N/A') {
    if (vat !== undefined) notes.say('vat', 'no taxes apply to this Tariff; it is not taken');
    return others;
  }
  if (vat === undefined) {
    notes.say('price', 'includes taxes of an unknown rate; it is taken as a price without VAT');
    return others;
  }
  const price = withoutTax(decimal(component.price), decimal(vat));
  if (!withTax(price, decimal(vat)).equals(decimal(component.price)))
    notes.say('price', `without the tax that is in it, it has no end; it is rounded to ${price.toString()}`);
  return { ...component, price: exactly(price, 'price') };
}

/** Of those that a number of JSON carries. */
const DIGITS = 15;

/**
 * A price of which `vat` percent was a part. One that has no end is rounded up at its 15th digit: no half cent is lost
 * where the tax comes on top again.
 */
export function withoutTax(price: Decimal, vat: Decimal): Decimal {
  const before = price.abs().toString().split('.')[0]!.length;
  return price.mul(HUNDRED).divide(HUNDRED.add(vat), Math.max(0, DIGITS - before), 'away-from-zero');
}

function withTax(price: Decimal, vat: Decimal): Decimal {
  return price.mul(HUNDRED.add(vat)).divide(HUNDRED, 2 * DIGITS, 'half-even');
}
