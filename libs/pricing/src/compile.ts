import { Decimal, type DecimalLike, decimal } from '#money';
import { ruleBrokenBy } from './magnitude.ts';
import type { Policy } from './policy.ts';
import { type Check, holds, type Moment, needs, readChecks } from './restriction.ts';
import {
  InvalidTariff,
  type Price,
  type PriceComponent,
  type Tariff,
  type TariffDimension,
  type TariffElement,
} from './shapes.ts';

/** When an element applies: in the session itself, or to a reservation made for it. */
export type Phase = 'session' | 'RESERVATION' | 'RESERVATION_EXPIRES';

const HUNDRED = decimal(100);

/**
 * A price component with its element's conditions. Its numbers are made exact when it first prices
 * something: most components of a tariff have nothing to do with most charges.
 */
export class Component {
  readonly dimension: TariffDimension;
  /** Places in `elements` and in that element's `price_components`. */
  readonly element: number;
  readonly index: number;
  readonly phase: Phase;
  readonly checks: readonly Check[];
  readonly source: PriceComponent;
  private readonly within: TariffElement;
  private ninths: Decimal | undefined;
  private inclusive: Decimal | undefined;
  private stepSize: Decimal | undefined;

  constructor(dimension: TariffDimension, source: PriceComponent, index: number, of: ReadElement) {
    this.dimension = dimension;
    this.element = of.element;
    this.index = index;
    this.phase = of.phase;
    this.checks = of.checks;
    this.source = source;
    this.within = of.source;
  }

  /** Its element prices parking and neither energy nor charging time. */
  get isParkingOnly(): boolean {
    const dimensions = this.within.price_components.map(({ type }) => type);
    const charges = dimensions.includes('ENERGY') || dimensions.includes('TIME');
    return dimensions.includes('PARKING_TIME') && !charges;
  }

  /** Excluding VAT, per kWh, per hour or once. */
  get price(): Decimal {
    return decimal(this.source.price);
  }

  /** Percent; undefined = no VAT applies. */
  get vat(): Decimal | undefined {
    return this.source.vat == null ? undefined : decimal(this.source.vat);
  }

  /** Wh or s; undefined = nothing is rounded. */
  get step(): Decimal | undefined {
    const size = this.source.step_size;
    if (size == null || !(size > 0) || this.dimension === 'FLAT') return undefined;
    return (this.stepSize ??= decimal(size));
  }

  get hasNegativeStep(): boolean {
    return Number(this.source.step_size) < 0 && this.dimension !== 'FLAT';
  }

  /** Nine times the price of one Wh, one second or once (`Amount`). */
  get ninthsPerUnit(): Decimal {
    return (this.ninths ??= ninths(this.dimension, this.source.price));
  }

  /** 1 + VAT; undefined = no VAT applies. */
  get inclFactor(): Decimal | undefined {
    const { vat } = this.source;
    if (vat == null) return undefined;
    // The usual percentages are whole numbers.
    return (this.inclusive ??= Number.isSafeInteger(vat)
      ? Decimal.of(100 + (vat as number), 2)
      : HUNDRED.add(decimal(vat)).shift(-2));
  }
}

/** What a unit costs in ninths: 0.009 of a price per kWh for a Wh, 0.0025 of one per hour for 1 s. */
function ninths(dimension: TariffDimension, price: DecimalLike): Decimal {
  const times = dimension === 'TIME' || dimension === 'PARKING_TIME' ? 25 : 9;
  const decimals = dimension === 'ENERGY' ? 3 : dimension === 'FLAT' ? 0 : 4;
  // Most prices are whole cents: one multiplication instead of two decimals.
  const cents = typeof price === 'number' ? Math.round(price * 100) : Number.NaN;
  return Math.abs(cents) < CENTS_MAX && cents / 100 === price
    ? Decimal.of(cents * times, 2 + decimals)
    : decimal(price).mul(Decimal.of(times, decimals));
}

const CENTS_MAX = 1e12;

interface ReadElement {
  readonly source: TariffElement;
  /** Its place in `elements`. */
  readonly element: number;
  readonly checks: readonly Check[];
  readonly phase: Phase;
}

export interface Bound {
  readonly excl: Decimal;
  readonly incl: Decimal | undefined;
}

/** A tariff made ready for pricing: its components per dimension, in list order. */
export interface CompiledTariff {
  readonly source: Tariff;
  readonly components: Readonly<Record<TariffDimension, readonly Component[]>>;
  readonly min: Bound | undefined;
  readonly max: Bound | undefined;
  /** Some component has a vat, be it 0, or a bound its incl_vat. */
  readonly hasVat: boolean;
  /** Some element looks at the Location's clock, at current or at power. */
  readonly usesClock: boolean;
  readonly usesCurrent: boolean;
  readonly usesPower: boolean;
}

/** The first component in list order whose element is active: it prices the dimension. PRC-02 */
export function pick(
  components: readonly Component[],
  phase: Phase,
  moment: Moment,
  policy: Policy,
): Component | undefined {
  next: for (let i = 0; i < components.length; i++) {
    const component = components[i]!;
    if (component.phase !== phase) continue;
    const { checks } = component;
    for (let k = 0; k < checks.length; k++) if (!holds(checks[k]!, moment, policy)) continue next;
    return component;
  }
  return undefined;
}

type Reading = { -readonly [K in keyof CompiledTariff]: CompiledTariff[K] };

const NO_CHECKS: readonly Check[] = [];
const NONE: Component[] = [];

/** Reads a tariff. Throws InvalidTariff. */
export function compile(tariff: Tariff): CompiledTariff {
  const { elements, min_price, max_price } = tariff;
  if (!Array.isArray(elements) || elements.length === 0) {
    throw new InvalidTariff('elements', 'at least one element expected');
  }
  const components = { ENERGY: NONE, TIME: NONE, PARKING_TIME: NONE, FLAT: NONE };
  const min = min_price == null ? undefined : readBound(min_price, 'min_price');
  const max = max_price == null ? undefined : readBound(max_price, 'max_price');
  const reading: Reading = {
    source: tariff,
    components,
    min,
    max,
    hasVat: min?.incl !== undefined || max?.incl !== undefined,
    usesClock: false,
    usesCurrent: false,
    usesPower: false,
  };
  for (let i = 0; i < elements.length; i++) readElement(reading, components, elements[i]!, i);
  return reading;
}

function readElement(
  tariff: Reading,
  components: Lists,
  source: TariffElement,
  element: number,
): void {
  if (typeof source !== 'object' || source === null) {
    throw new InvalidTariff(`elements[${element}]`, 'an element expected');
  }
  const { restrictions, price_components } = source;
  if (!Array.isArray(price_components))
    throw invalid(element, 'price_components', 'a list expected');
  let checks = NO_CHECKS;
  let phase: Phase = 'session';
  if (restrictions != null) {
    if (typeof restrictions !== 'object') throw invalid(element, 'restrictions', 'a set expected');
    checks = readChecks(restrictions, element);
    phase = readPhase(restrictions.reservation, element);
    for (let i = 0; i < checks.length; i++) {
      const need = needs(checks[i]!);
      if (need === 'clock') tariff.usesClock = true;
      else if (need === 'current') tariff.usesCurrent = true;
      else if (need === 'power') tariff.usesPower = true;
    }
  }
  const of: ReadElement = { source, element, checks, phase };
  for (let index = 0; index < price_components.length; index++) {
    const part = price_components[index] as PriceComponent;
    checkComponent(part, element, index);
    if (part.vat != null) tariff.hasVat = true;
    put(components, part, index, of);
  }
}

type Lists = Record<TariffDimension, Component[]>;

// A property of a known name is found several times faster than one of a name to be looked up.
function put(lists: Lists, part: PriceComponent, index: number, of: ReadElement): void {
  switch (part.type) {
    case 'ENERGY':
      lists.ENERGY = withOne(lists.ENERGY, new Component('ENERGY', part, index, of));
      return;
    case 'TIME':
      lists.TIME = withOne(lists.TIME, new Component('TIME', part, index, of));
      return;
    case 'PARKING_TIME':
      lists.PARKING_TIME = withOne(
        lists.PARKING_TIME,
        new Component('PARKING_TIME', part, index, of),
      );
      return;
    case 'FLAT':
      lists.FLAT = withOne(lists.FLAT, new Component('FLAT', part, index, of));
      return;
    default: {
      const field = `price_components[${index}].type`;
      throw invalid(of.element, field, 'a tariff dimension expected');
    }
  }
}

function withOne(list: Component[], component: Component): Component[] {
  if (list.length === 0) return [component];
  list.push(component);
  return list;
}

/** The tariff's components of a dimension, in list order. */
export function componentsOf(
  { components }: CompiledTariff,
  dimension: TariffDimension,
): readonly Component[] {
  switch (dimension) {
    case 'ENERGY':
      return components.ENERGY;
    case 'TIME':
      return components.TIME;
    case 'PARKING_TIME':
      return components.PARKING_TIME;
    case 'FLAT':
      return components.FLAT;
  }
}

function readPhase(reservation: string | null | undefined, element: number): Phase {
  if (reservation == null) return 'session';
  if (reservation === 'RESERVATION' || reservation === 'RESERVATION_EXPIRES') return reservation;
  throw invalid(element, 'restrictions.reservation', 'RESERVATION or RESERVATION_EXPIRES expected');
}

function checkComponent(part: PriceComponent, element: number, index: number): void {
  if (typeof part !== 'object' || part === null) {
    throw invalid(element, `price_components[${index}]`, 'a price component expected');
  }
  const { price, vat, step_size } = part;
  const rule = ruleBrokenBy(price);
  if (rule) throw invalid(element, `price_components[${index}].price`, rule);
  const vatRule = vat == null ? undefined : ruleBrokenBy(vat);
  if (vatRule) throw invalid(element, `price_components[${index}].vat`, vatRule);
  if (step_size != null && !Number.isFinite(step_size)) {
    throw invalid(element, `price_components[${index}].step_size`, 'a number expected');
  }
  const stepRule = step_size == null ? undefined : ruleBrokenBy(step_size);
  if (stepRule) {
    throw invalid(element, `price_components[${index}].step_size`, stepRule);
  }
}

function readBound({ excl_vat, incl_vat }: Price, path: string): Bound {
  const rule = ruleBrokenBy(excl_vat);
  if (rule) throw new InvalidTariff(`${path}.excl_vat`, rule);
  const inclRule = incl_vat == null ? undefined : ruleBrokenBy(incl_vat);
  if (inclRule) throw new InvalidTariff(`${path}.incl_vat`, inclRule);
  return { excl: decimal(excl_vat), incl: incl_vat == null ? undefined : decimal(incl_vat) };
}

function invalid(element: number, field: string, rule: string): InvalidTariff {
  return new InvalidTariff(`elements[${element}].${field}`, rule);
}
