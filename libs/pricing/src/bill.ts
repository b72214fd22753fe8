import { Decimal } from '#money';
import { type Zone, zone } from '#time';
import { type Component, componentsOf, type Phase, pick } from './compile.ts';
import type { Course } from './course.ts';
import type { Policy } from './policy.ts';
import type { Moment } from './restriction.ts';
import { InvalidCharge, type TariffDimension } from './shapes.ts';
import { isAtCharger, lacksLevel, levelsOf, type Stretch } from './stretch.ts';

/** What became of a reservation: the driver came, or it ran out. */
export type Outcome = 'used' | 'expired';

/** A quantity of a stretch that asks for a price, and the component that answers. */
export interface Entry {
  /** Place in the course's stretches. */
  readonly use: number;
  readonly dimension: TariffDimension;
  /** Whose elements are asked, in this order. */
  readonly phases: readonly Phase[];
  /** Wh, s or 1. */
  readonly volume: Decimal;
  readonly moment: Moment;
  /** Undefined = no element prices it: it is free. */
  readonly component: Component | undefined;
}

const SESSION: readonly Phase[] = ['session'];
const USED: readonly Phase[] = ['RESERVATION'];
const EXPIRED: readonly Phase[] = ['RESERVATION_EXPIRES', 'RESERVATION'];
const EXPIRED_ONLY: readonly Phase[] = ['RESERVATION_EXPIRES'];

/** Whose elements price a reservation. PRC-14: what RESERVATION_EXPIRES does not price, RESERVATION still does. */
export function reservedPhases(outcome: Outcome | undefined, { expiredReservation }: Policy): readonly Phase[] {
  if (outcome !== 'expired') return USED;
  return expiredReservation === 'expires-only' ? EXPIRED_ONLY : EXPIRED;
}

/** Walks through a charge and finds the component of every quantity in it. */
export class Bill {
  readonly entries: Entry[] = [];
  private readonly course: Course;
  private readonly policy: Policy;
  private readonly timeZone: string | undefined;
  private readonly outcome: Outcome | undefined;
  private readonly reserved: readonly Phase[];
  private flats: Component[] | undefined;
  private zone: Zone | undefined;

  constructor(course: Course, policy: Policy, outcome?: Outcome, timeZone?: string) {
    this.course = course;
    this.policy = policy;
    this.timeZone = timeZone;
    this.outcome = outcome;
    this.reserved = reservedPhases(outcome, policy);
    const { stretches } = course;
    for (let use = 0; use < stretches.length; use++) this.take(stretches[use]!, use);
  }

  private take(stretch: Stretch, use: number): void {
    const { tariff, reservationS, energyWh, chargingS, parkingS } = stretch;
    if (tariff === undefined) return;
    if (reservationS) {
      const moment = this.momentOf(stretch, true);
      this.flat(this.reserved, moment, use);
      this.add('TIME', this.reserved, reservationS, moment, use);
    }
    if (reservationS && !energyWh && !chargingS && !parkingS) return;
    // PRC-15: a reservation that expired has no charge to start, whatever period of nothing follows.
    if (this.outcome === 'expired' && !isAtCharger(stretch)) return;
    const moment = this.momentOf(stretch, false);
    this.flat(SESSION, moment, use);
    if (energyWh && !(energyWh.isNegative() && this.policy.negativeEnergy === 'zero')) {
      this.add('ENERGY', SESSION, energyWh, moment, use);
    }
    if (chargingS) this.add('TIME', SESSION, chargingS, moment, use);
    if (parkingS) this.add('PARKING_TIME', SESSION, parkingS, moment, use);
  }

  /** The moment at which a stretch is held against restrictions: its start. */
  private momentOf(stretch: Stretch, reserved: boolean): Moment {
    const { startMs, chargingStartMs, notes } = this.course;
    const tariff = stretch.tariff!;
    const levels = levelsOf(stretch, this.policy);
    if (!reserved && lacksLevel(stretch, levels)) {
      notes.push({ code: 'level-unknown', period: stretch.index });
    }
    return {
      atMs: stretch.startMs,
      wallMs: tariff.usesClock ? this.clock().wallMs(stretch.startMs) : Number.NaN,
      elapsedMs: stretch.startMs - (reserved ? startMs : chargingStartMs),
      energyWh: stretch.energySoFarWh,
      levels,
    };
  }

  private clock(): Zone {
    if (this.zone) return this.zone;
    if (!this.timeZone) {
      throw new InvalidCharge(
        'time_zone',
        'the tariff has local times: the Location’s zone expected',
      );
    }
    return (this.zone = zone(this.timeZone));
  }

  private add(
    dimension: TariffDimension,
    phases: readonly Phase[],
    volume: Decimal,
    moment: Moment,
    use: number,
  ): void {
    if (volume.isZero()) return;
    const component = this.find(dimension, phases, moment, use);
    this.entries.push({ use, dimension, phases, volume, moment, component });
  }

  private find(
    dimension: TariffDimension,
    phases: readonly Phase[],
    moment: Moment,
    use: number,
  ): Component | undefined {
    const components = componentsOf(this.course.stretches[use]!.tariff!, dimension);
    if (components.length === 0) return undefined;
    for (let i = 0; i < phases.length; i++) {
      const component = pick(components, phases[i]!, moment, this.policy);
      if (component) return component;
    }
    return undefined;
  }

  /** PRC-04: a FLAT is billed when it first becomes active, the reservation's apart. */
  private flat(phases: readonly Phase[], moment: Moment, use: number): void {
    if (this.course.stretches[use]!.tariff!.components.FLAT.length === 0) return;
    const taken = this.flats?.some(
      (flat) => this.policy.flatFee === 'once-per-session' && phases.includes(flat.phase),
    );
    if (taken) return;
    const component = this.find('FLAT', phases, moment, use);
    if (!component || this.flats?.includes(component)) return;
    (this.flats ??= []).push(component);
    this.entries.push({ use, dimension: 'FLAT', phases, volume: Decimal.one, moment, component });
  }
}
