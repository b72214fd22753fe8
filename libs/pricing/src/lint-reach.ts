import type { Outcome } from './bill.ts';
import type { CompiledTariff, Component, Phase } from './compile.ts';
import { firstFee } from './lint-fee.ts';
import { type Axis, Effort, type Situation, Space } from './lint-space.ts';
import { type Course, witness, type Witness } from './lint-witness.ts';
import { defaultPolicy } from './policy.ts';
import type { TariffDimension } from './shapes.ts';

/** Whether a component can ever price anything. */
export interface Reach {
  readonly component: Component;
  /** A charge in which it does. */
  readonly witness?: Witness;
  /** It only does in periods that say nothing of their current. */
  readonly onlyWithoutCurrent?: boolean;
  /** Why it never does. */
  readonly never?: Never;
}

export type Never =
  | { readonly why: 'contradiction'; readonly axis: Axis }
  | { readonly why: 'no-part-of-reservations' }
  /** It asks for energy, power or current in a reservation, which has none. */
  | { readonly why: 'nothing-flows' }
  /** Elements that come first wherever it is active, or whose fee was taken by then. */
  | { readonly why: 'shadowed' | 'fee-taken'; readonly by: readonly number[] };

const DIMENSIONS: readonly TariffDimension[] = ['ENERGY', 'TIME', 'PARKING_TIME', 'FLAT'];

/**
 * For every component of a tariff, in order: can it be used? Exact for sessions that take energy,
 * whose periods lie inside them, in a zone without a change of clocks on the day. What is called
 * reachable comes with a charge that proves it. Throws TooIntricate.
 */
export function reachOf(tariff: CompiledTariff, effort = new Effort()): Reach[] {
  const found: Reach[] = [];
  for (const dimension of DIMENSIONS) {
    const all = tariff.components[dimension];
    const spaces = new Map<Phase, Space>();
    for (const component of all) {
      let space = spaces.get(component.phase);
      if (!space) {
        space = new Space(rivalsOf(component, all), defaultPolicy, effort);
        spaces.set(component.phase, space);
      }
      found.push(reach(tariff, component, space));
    }
  }
  return found.sort(
    (a, b) => a.component.element - b.component.element || a.component.index - b.component.index,
  );
}

function reach(tariff: CompiledTariff, component: Component, space: Space): Reach {
  const { dimension, phase } = component;
  if (phase !== 'session' && dimension !== 'TIME' && dimension !== 'FLAT') {
    return { component, never: { why: 'no-part-of-reservations' } };
  }
  const index = space.components.indexOf(component);
  const axis = space.contradiction(index);
  if (axis) return { component, never: { why: 'contradiction', axis } };
  const reserved = phase !== 'session';
  if (reserved && !space.find(1n << BigInt(index), 0n, { reserved })) return { component, never: { why: 'nothing-flows' } };
  for (const unknownCurrent of reserved ? [false] : [false, true]) {
    const course = findCourse(space, index, { reserved, unknownCurrent });
    if (!course) continue;
    return {
      component,
      witness: witness(tariff, component, course, outcomeOf(phase)),
      ...(unknownCurrent ? { onlyWithoutCurrent: true } : {}),
    };
  }
  return { component, never: neverOf(space, index, reserved) };
}

/** Whoever may take its place, in the order in which pricing asks them. */
function rivalsOf(component: Component, all: readonly Component[]): Component[] {
  const of = (phase: Phase) => all.filter((one) => one.phase === phase);
  // A fee under RESERVATION has been taken when one under RESERVATION_EXPIRES becomes active.
  return component.phase === 'RESERVATION_EXPIRES' && component.dimension === 'FLAT'
    ? [...of('RESERVATION_EXPIRES'), ...of('RESERVATION')]
    : of(component.phase);
}

function outcomeOf(phase: Phase): Outcome | undefined {
  if (phase === 'session') return undefined;
  return phase === 'RESERVATION' ? 'used' : 'expired';
}

interface Where {
  readonly reserved: boolean;
  readonly unknownCurrent: boolean;
}

function findCourse(space: Space, index: number, where: Where): Course | undefined {
  const wanted = 1n << BigInt(index);
  if (space.components[index]!.dimension === 'FLAT') return firstFee(space, index, where);
  const at = space.find(wanted, wanted - 1n, where);
  return at && { at: later(at) };
}

/** Energy needs time to flow: a moment after the start instead of the start itself. */
function later(at: Situation): Situation {
  return at.energy.isZero() || at.elapsed > 0 ? at : { ...at, elapsed: 1 };
}

function neverOf(space: Space, index: number, reserved: boolean): Never {
  const wanted = 1n << BigInt(index);
  const where = { reserved, unknownCurrent: !reserved };
  const isFee = space.components[index]!.dimension === 'FLAT';
  const shadowed = space.find(wanted, wanted - 1n, where) === undefined;
  const by = new Set<number>();
  space.components.forEach(({ element }, i) => {
    const bit = 1n << BigInt(i);
    const meets = shadowed
      ? i < index && space.find(wanted | bit, 0n, where)
      : isFee && i !== index && space.find(bit, bit - 1n, { ...where, start: true });
    if (meets) by.add(element);
  });
  return { why: shadowed ? 'shadowed' : 'fee-taken', by: [...by] };
}
