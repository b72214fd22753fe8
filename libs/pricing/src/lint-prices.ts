import { Decimal, decimal } from '#money';
import type { CompiledTariff, Component } from './compile.ts';
import { type Finding, finding, pointer } from './lint-finding.ts';
import type { Price, Tariff, TariffDimension } from './shapes.ts';

/** Prices, taxes, steps and bounds that hardly mean what they say. */
export function lintPrices(tariff: CompiledTariff): Finding[] {
  const components = componentsOf(tariff);
  return [
    ...components.flatMap((component) => [
      ...lintPrice(component, tariff.source.currency),
      ...lintVat(component),
      ...lintStep(component, tariff.source.currency),
    ]),
    ...vatSometimes(components),
    ...stepsDiffer(components),
    ...lintBounds(tariff),
    ...freeForm(tariff.source, components),
  ];
}

export function componentsOf({ components }: CompiledTariff): Component[] {
  return Object.values(components)
    .flat()
    .sort((a, b) => a.element - b.element || a.index - b.index);
}

// What about one Canadian dollar is worth: below it a price per hour is rather one per minute.
const ONE: Readonly<Record<string, string>> = {
  AUD: '1',
  CAD: '1',
  CHF: '1',
  CZK: '15',
  DKK: '5',
  EUR: '1',
  GBP: '0.75',
  HUF: '250',
  ISK: '100',
  JPY: '100',
  KRW: '1000',
  NOK: '7',
  NZD: '1',
  PLN: '3',
  RON: '4',
  SEK: '7',
  USD: '1',
};
const SIXTY = decimal(60);
const TOO_DEAR = decimal(5);
const TOO_CHEAP = decimal('0.005');

function lintPrice(component: Component, currency: string): Finding[] {
  const { dimension, price } = component;
  const path = `${pathOf(component)}/price`;
  if (price.isNegative()) {
    const message = `The price is negative: whoever charges is paid ${price.neg()} ${currency}`;
    return [finding('negative-price', path, message, 'Check that it is meant so')];
  }
  const one = Object.hasOwn(ONE, currency) ? decimal(ONE[currency]!) : undefined;
  if (!one || price.isZero() || dimension === 'FLAT') return [];
  if (dimension !== 'ENERGY') {
    if (price.compare(one) >= 0) return [];
    const message =
      `${price} ${currency} is the price of an hour (OCPI 2.2.1 mod_tariffs), ` +
      `${price.divide(SIXTY, 4, 'half-even')} of a minute`;
    const advice = `If ${price} is meant for a minute, write ${price.mul(SIXTY)}`;
    return [finding('per-minute-price', path, message, advice)];
  }
  if (price.compare(one.mul(TOO_DEAR)) >= 0) {
    const advice = `If cents are meant, write ${price.shift(-2)}`;
    const message = `${price} ${currency} for one kWh is very much`;
    return [finding('price-in-cents', path, message, advice)];
  }
  if (price.compare(one.mul(TOO_CHEAP)) >= 0) return [];
  const message = `${price} ${currency} for one kWh is next to nothing`;
  return [finding('price-per-wh', path, message, `If Wh are meant, write ${price.shift(3)}`)];
}

function lintVat(component: Component): Finding[] {
  const { vat } = component;
  const path = `${pathOf(component)}/vat`;
  if (!vat || vat.isZero()) return [];
  if (!vat.isNegative() && vat.compare(Decimal.one) < 0) {
    const message = `vat is in percent: ${vat} is less than one percent`;
    const advice = `If ${vat.shift(2)} % is meant, write ${vat.shift(2)}`;
    return [finding('vat-as-fraction', path, message, advice)];
  }
  if (!vat.isNegative() && vat.compare(decimal(50)) <= 0) return [];
  const message = `A vat of ${vat} % is known nowhere`;
  return [finding('vat-implausible', path, message, 'Write the percentage, such as 5 or 14.975')];
}

/** Absent means that no VAT applies, which is another thing than 0 %. PRC-05 */
function vatSometimes(components: readonly Component[]): Finding[] {
  const priced = components.filter(({ price }) => !price.isZero());
  if (!priced.some(({ vat }) => vat)) return [];
  return priced
    .filter(({ vat }) => !vat)
    .map((component) => {
      const message =
        'It has no vat while others have: none applies to it, and it adds the same to both totals';
      const advice = 'Add its vat; 0 where a rate of 0 % is meant';
      return finding('vat-sometimes-absent', pathOf(component), message, advice);
    });
}

const LARGE: Readonly<Record<TariffDimension, number>> = {
  ENERGY: 1000,
  TIME: 3600,
  PARKING_TIME: 3600,
  FLAT: Infinity,
};

function lintStep(component: Component, currency: string): Finding[] {
  const { dimension, source, ninthsPerUnit } = component;
  const { step_size: size } = source;
  const path = `${pathOf(component)}/step_size`;
  if (size == null) return [];
  if (dimension === 'FLAT') {
    if (size <= 1) return [];
    const message = `A FLAT has no quantity: its step_size of ${size} does nothing`;
    return [finding('step-size-of-flat', path, message, 'Write 1')];
  }
  const unit = dimension === 'ENERGY' ? 'Wh' : 's';
  if (size === 0) {
    const message = `A step of 0 ${unit} rounds nothing, and some readers divide by it`;
    return [finding('step-size-zero', path, message, 'Write 1')];
  }
  if (size <= LARGE[dimension]) return [];
  const surplus = ninthsPerUnit.mul(decimal(size - 1)).divide(decimal(9), 2, 'half-even');
  const message =
    `Steps of ${size} ${unit} bill up to ${size - 1} ${unit} that nobody used: ` +
    `up to ${surplus} ${currency} (step_size is in ${unit})`;
  const advice = 'Write 1, as OCPI advises, unless steps so large are lawful and meant';
  return [finding('step-size-large', path, message, advice)];
}

/** PRC-06: the step of the component that is used last acts on the whole session. */
function stepsDiffer(components: readonly Component[]): Finding[] {
  const session = components.filter(({ phase, price }) => phase === 'session' && !price.isZero());
  const groups: readonly (readonly TariffDimension[])[] = [['ENERGY'], ['TIME', 'PARKING_TIME']];
  return groups.flatMap((dimensions) => {
    const some = session.filter(({ dimension }) => dimensions.includes(dimension));
    const steps = new Set(some.map(({ step }) => step?.toString() ?? '1'));
    if (steps.size < 2) return [];
    const last = some.at(-1)!;
    const message =
      `${dimensions.join(' and ')} have steps of ${[...steps].join(', ')}: only the step of the ` +
      'component used last counts, once for the session (OCPI 2.2.1 mod_tariffs)';
    return [
      finding('step-size-differs', `${pathOf(last)}/step_size`, message, 'Give all the same step'),
    ];
  });
}

function lintBounds({ source, hasVat }: CompiledTariff): Finding[] {
  const found: Finding[] = [];
  const { min_price: min, max_price: max } = source;
  for (const [name, bound] of [['min_price', min] as const, ['max_price', max] as const]) {
    if (bound == null) continue;
    const path = `/${name}`;
    if (bound.incl_vat == null) {
      if (!hasVat) continue;
      const message = 'It has no incl_vat, and the total with VAT is bounded by that alone';
      found.push(finding('bound-without-incl', path, message, 'Add incl_vat'));
    } else if (decimal(bound.incl_vat).compare(decimal(bound.excl_vat)) < 0) {
      const message = `incl_vat ${bound.incl_vat} is less than excl_vat ${bound.excl_vat}`;
      const advice = 'Exchange or correct them';
      found.push(finding('incl-below-excl', `${path}/incl_vat`, message, advice));
    }
  }
  for (const side of ['excl_vat', 'incl_vat'] as const) {
    const [least, most] = [sideOf(min, side), sideOf(max, side)];
    if (!least || !most || least.compare(most) <= 0) continue;
    const message = `min_price ${least} is more than max_price ${most} (${side})`;
    found.push(finding('min-above-max-price', `/min_price/${side}`, message, 'Exchange them'));
  }
  return found;
}

function sideOf(price: Price | null | undefined, side: keyof Price): Decimal | undefined {
  const value = price?.[side];
  return value == null ? undefined : decimal(value);
}

/** TAR-06: a free tariff is one FLAT of 0 without restrictions. */
function freeForm({ elements }: Tariff, components: readonly Component[]): Finding[] {
  if (components.length === 0 || components.some(({ price }) => !price.isZero())) return [];
  const [only] = elements;
  const plain =
    elements.length === 1 &&
    only!.restrictions == null &&
    components.length === 1 &&
    components[0]!.dimension === 'FLAT';
  if (plain) return [];
  const message = 'All prices are 0, and this is not the form in which OCPI says "free of charge"';
  const advice = 'Write one element without restrictions, with one FLAT of price 0';
  return [finding('free-tariff-form', '/elements', message, advice)];
}

function pathOf({ element, index }: Component): string {
  return pointer(element, index);
}
