import { Decimal } from '#money';
import { type Zone, zone } from '#time';
import { type CompiledTariff, type Component, type Phase, pick } from './compile.ts';
import type { Policy } from './policy.ts';
import type { Moment } from './restriction.ts';
import { InvalidCharge, type TariffDimension } from './shapes.ts';

/**
 * What the car does: it takes energy; it asks for none (PARKING_TIME); or it is kept waiting by us,
 * by the grid or by a fault, which is neither charging nor parking.
 */
export type ChargeState = 'charging' | 'parking' | 'paused';

const DIMENSIONS: Readonly<Record<ChargeState, readonly TariffDimension[]>> = {
  charging: ['ENERGY', 'TIME'],
  parking: ['ENERGY', 'PARKING_TIME'],
  paused: ['ENERGY'],
};

/** Of what: the charge and the stay, or the reservation before them. */
export type Priceable = 'session' | 'reservation';

const RESERVED: readonly Phase[] = ['RESERVATION', 'RESERVATION_EXPIRES'];

/** Where in a session, or in its reservation, a tariff may change its price, and whether it does. */
export class PriceChanges {
  /** Minutes of the local day, durations and energies at which some element begins or ends. */
  readonly #minutes: readonly number[];
  readonly #durationsMs: readonly number[];
  readonly #energiesWh: readonly Decimal[];
  readonly #tariff: CompiledTariff;
  readonly #policy: Policy;
  readonly #zone: Zone | undefined;

  constructor(
    tariff: CompiledTariff,
    policy: Policy,
    timeZone: string | undefined,
    of: Priceable = 'session',
  ) {
    if (tariff.usesClock && !timeZone) {
      throw new InvalidCharge('time_zone', 'the tariff has local times: a time zone expected');
    }
    this.#tariff = tariff;
    this.#policy = policy;
    this.#zone = tariff.usesClock ? zone(timeZone!) : undefined;
    const minutes = new Set<number>();
    const durations = new Set<number>();
    const energies = new Map<string, Decimal>();
    for (const component of componentsFor(tariff, of)) {
      for (const check of component.checks) {
        if (check.kind === 'time') minutes.add(check.from).add(check.to % 1440);
        else if (check.kind === 'min_duration' || check.kind === 'max_duration')
          durations.add(Math.ceil(check.ms));
        else if (check.kind === 'min_kwh' || check.kind === 'max_kwh') {
          energies.set(check.bound.toString(), check.bound);
        } else if (check.kind === 'day_of_week' || check.kind.endsWith('_date')) minutes.add(0);
      }
    }
    this.#minutes = [...minutes];
    this.#durationsMs = [...durations];
    this.#energiesWh = [...energies.values()].sort((a, b) => a.compare(b));
  }

  /** The wall clock at an instant, for a `Moment`. */
  wallMs(atMs: number): number {
    return this.#zone ? this.#zone.wallMs(atMs) : Number.NaN;
  }

  /** The first instant after this one at which the clock or the duration may change the price. */
  nextMs(atMs: number, startMs: number): number {
    let next = Infinity;
    if (this.#zone) {
      next = this.#zone.nextTransitionMs(atMs);
      for (const minute of this.#minutes) {
        next = Math.min(next, this.#zone.nextAtMinuteOfDay(atMs, minute));
      }
    }
    for (const duration of this.#durationsMs) {
      if (startMs + duration > atMs) next = Math.min(next, startMs + duration);
    }
    return next;
  }

  /** The least energy above this one at which the price may change. */
  nextEnergyWh(energyWh: Decimal): Decimal | undefined {
    return this.#energiesWh.find((bound) => bound.compare(energyWh) > 0);
  }

  /** The components that price a moment, as a text that is equal where they are the same. */
  priceAt(moment: Moment, state: ChargeState): string {
    const { components } = this.#tariff;
    return DIMENSIONS[state]
      .map((dimension) => place(pick(components[dimension], 'session', moment, this.#policy)))
      .join(' ');
  }

  /** What each of the dimensions costs at a moment, as a text that is equal where it costs the same, whatever element says so. */
  costOf(dimensions: readonly TariffDimension[], moment: Moment): string {
    const { components } = this.#tariff;
    return dimensions.map((dimension) => cost(pick(components[dimension], 'session', moment, this.#policy))).join(' ');
  }

  /** As `priceAt`, of a reservation: what prices it should it be used, and should it expire. */
  reservedAt(moment: Moment): string {
    const { FLAT, TIME } = this.#tariff.components;
    return RESERVED.flatMap((phase) => [FLAT, TIME].map((all) => place(pick(all, phase, moment, this.#policy)))).join(' ');
  }

  /** What a reservation costs at a moment by the first of these phases that prices it, and the FLAT that is active then. */
  reservedBy(phases: readonly Phase[], moment: Moment): { readonly cost: string; readonly fee: string | undefined } {
    const { FLAT, TIME } = this.#tariff.components;
    const [fee, time] = [FLAT, TIME].map((all) => phases.map((phase) => pick(all, phase, moment, this.#policy)).find((one) => one));
    return { cost: cost(time), fee: fee && place(fee) };
  }

  /** The FLAT that is active at a moment, as a text, or undefined. */
  flatAt(moment: Moment): string | undefined {
    const flat = pick(this.#tariff.components.FLAT, 'session', moment, this.#policy);
    return flat && place(flat);
  }
}

function* componentsFor(tariff: CompiledTariff, of: Priceable): Iterable<Component> {
  for (const components of Object.values(tariff.components)) {
    for (const component of components) {
      if ((component.phase === 'session') === (of === 'session')) yield component;
    }
  }
}

function cost(component: Component | undefined): string {
  if (!component || component.price.isZero()) return '-';
  return `${component.price} ${component.vat ?? '-'} ${component.source.step_size}`;
}

function place(component: Component | undefined): string {
  return component ? `${component.element}.${component.index}` : '-';
}
