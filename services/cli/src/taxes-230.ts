import { Decimal, decimal, type DecimalLike, sum } from '#money';
import { withoutTax } from '#ocpi-versions';
import type { Remark } from './liberal.ts';
import { RefusedInput } from './verb.ts';

// OCPI 2.3.0 says before and after taxes where 2.2.1 says without and with VAT, and its tariffs may
// have prices with the tax in them: read as those of 2.2.1 they would be taxed twice.

type Loose = Record<string, unknown>;

/** A Tariff of 2.3.0 as one of 2.2.1, in place; others stay as they are. Throws RefusedInput. */
export function readTaxes(tariff: Loose, path: string, remarks: Remark[]): void {
  for (const name of ['min_price', 'max_price']) {
    const bound = tariff[name];
    if (isOf230(bound)) tariff[name] = limit(bound);
  }
  if (tariff.tax_included == null) return;
  const included = String(tariff.tax_included).toUpperCase();
  if (!['YES', 'NO', 'N/A'].includes(included))
    throw new RefusedInput(`${path}tax_included: YES, NO or N/A expected (OCPI 2.3.0 mod_tariffs)`);
  const components = (tariff.elements as Loose[]).flatMap(({ price_components }) => price_components as Loose[]);
  const say = (en: string, fr: string) => remarks.push({ code: 'taxes-of-2.3.0', path: `${path}tax_included`, why: { en, fr } });
  const rated = components.filter(({ vat }) => vat != null);
  const isPriced = ({ price }: Loose) => amount(price)?.isZero() === false;
  if (included === 'N/A') {
    if (rated.length > 0) say('no taxes apply to the tariff; its vat is not taken', 'aucune taxe ne s’applique au tarif; son vat n’est pas compté');
    for (const component of rated) delete component.vat;
    return;
  }
  if (components.some((one) => one.vat == null && isPriced(one)))
    say(
      `a rate of tax is not given; such a price is taken ${included === 'YES' ? 'as it is, with' : 'without'} tax`,
      `un taux de taxe n’est pas donné; un tel prix est pris ${included === 'YES' ? 'tel quel, taxes comprises' : 'sans taxes'}`,
    );
  if (included === 'NO' || rated.length === 0) return;
  say('the prices include tax; it is taken out of them', 'les prix comprennent les taxes; elles en sont retirées');
  for (const component of rated) {
    const [price, vat] = [amount(component.price), amount(component.vat)];
    if (price && vat && !vat.isNegative()) component.price = withoutTax(price, vat).toString();
  }
  // No longer: once is enough, also where the tariff is read again.
  tariff.tax_included = 'NO';
}

export function isOf230(price: unknown): price is Loose {
  return typeof price === 'object' && price !== null && 'before_taxes' in price;
}

function limit({ before_taxes, after_taxes }: Loose): Loose {
  return { excl_vat: before_taxes, ...(after_taxes == null ? {} : { incl_vat: after_taxes }) };
}

/** A Price of 2.3.0 as one of 2.2.1. */
export function priceOf230({ before_taxes, taxes }: Loose): Loose {
  const amounts = Array.isArray(taxes) ? taxes.map((tax: Loose | null) => amount(tax?.amount)) : [];
  const all = [amount(before_taxes), ...amounts];
  if (amounts.length === 0 || all.includes(undefined)) return { excl_vat: before_taxes };
  return { excl_vat: before_taxes, incl_vat: sum(all as Decimal[]).toString() };
}

function amount(value: unknown): Decimal | undefined {
  try {
    return decimal(value as DecimalLike);
  } catch {
    return undefined;
  }
}
